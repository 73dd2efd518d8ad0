import {
  acceptedContent,
  inputRequired,
  McpServer as NewServer,
  type InputRequests,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { McpServer as OldServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  ListRootsResultSchema,
  type ServerRequest,
} from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

// One server that asks before it answers, in the words of both lines of the official SDK.

const requestedSchema = { type: "object" as const, properties: { name: { type: "string" as const } }, required: ["name"] };
/** What each tool asks. */
export const asked = {
  form: { mode: "form" as const, message: "Your name?", requestedSchema },
  url: { mode: "url" as const, message: "Sign in, please.", url: "https://sign-in.example/start?of=1" },
  sampling: { messages: [{ role: "user" as const, content: { type: "text" as const, text: "Two and two?" } }], maxTokens: 100 },
};
export const kinds = ["form", "url", "sampling", "roots"] as const;
export type Kind = (typeof kinds)[number];

const text = (value: unknown) => ({ content: [{ type: "text" as const, text: JSON.stringify(value) }] });
const info = { name: "asking", version: "1" };
const results = { form: ElicitResultSchema, url: ElicitResultSchema, sampling: CreateMessageResultSchema, roots: ListRootsResultSchema };

function oldRequest(kind: Kind): ServerRequest {
  if (kind === "roots") return { method: "roots/list" };
  if (kind === "sampling") return { method: "sampling/createMessage", params: asked.sampling };
  if (kind === "url") return { method: "elicitation/create", params: { ...asked.url, elicitationId: "errand-1" } };
  return { method: "elicitation/create", params: asked.form };
}

export interface OldOptions {
  /** Questions do not say which request they are for, as those of most servers. */
  readonly unrelated?: boolean;
  /** Counts how often a tool began. */
  readonly begun?: string[];
  readonly cancelled?: string[];
  /** What the tool `hold` waits for. */
  readonly held?: Promise<void>;
}

/** Up to 2025-11-25: it asks in the middle of its work. */
export function oldAsking(o: OldOptions = {}): OldServer {
  const server = new OldServer(info, { capabilities: { tools: {}, prompts: {}, resources: {} } });
  for (const kind of kinds)
    server.registerTool(kind, { inputSchema: { n: z.number().optional() } }, async (_args, extra) => {
      o.begun?.push(kind);
      extra.signal.addEventListener("abort", () => o.cancelled?.push(kind));
      try {
        const send = o.unrelated === true ? server.server.request.bind(server.server) : extra.sendRequest;
        return text(await send(oldRequest(kind), results[kind] as typeof ElicitResultSchema));
      } catch (error) {
        return { ...text(`refused: ${(error as Error).message}`), isError: true };
      }
    });
  server.registerTool("twice", { inputSchema: {} }, async (_args, extra) => {
    const ask = async (message: string) =>
      extra.sendRequest({ method: "elicitation/create", params: { ...asked.form, message } }, ElicitResultSchema);
    const first = await ask("First?");
    const second = await Promise.all([ask("Second?"), ask("Third?")]);
    return text([first, ...second]);
  });
  server.registerTool("hold", { inputSchema: {} }, async () => {
    o.begun?.push("hold");
    await o.held;
    return text("held");
  });
  server.registerTool("impatient", { inputSchema: {} }, async (_args, extra) => {
    const refused = extra.sendRequest(oldRequest("form"), ElicitResultSchema, { timeout: 300 }).catch((error: Error) => error.message);
    return text(await refused);
  });
  server.registerTool("linger", { inputSchema: {} }, async (_args, extra) => {
    await extra.sendRequest(oldRequest("form"), ElicitResultSchema);
    o.begun?.push("linger");
    await new Promise((resolve) => extra.signal.addEventListener("abort", resolve));
    o.cancelled?.push("linger");
    return text("left");
  });
  server.registerPrompt("greet", {}, async (extra) => {
    const { content } = await extra.sendRequest(oldRequest("form"), ElicitResultSchema);
    return { messages: [{ role: "user", content: { type: "text", text: JSON.stringify(content) } }] };
  });
  server.registerResource("card", "asking://card", {}, async (uri, extra) => {
    const { content } = await extra.sendRequest(oldRequest("form"), ElicitResultSchema);
    return { contents: [{ uri: uri.href, text: JSON.stringify(content) }] };
  });
  return server;
}

export interface NewOptions {
  /** Counts how often a tool was answered. */
  readonly begun?: string[] | undefined;
  /** What the tool `hold` waits for. */
  readonly held?: Promise<void> | undefined;
}

/** Since 2026-07-28: it answers that it needs input, and is called again. */
export function newAsking(o: NewOptions = {}): NewServer {
  const server = new NewServer(info, { capabilities: { tools: {}, prompts: {}, resources: {} } });
  const { elicit, elicitUrl, createMessage, listRoots } = inputRequired;
  const requests = {
    form: () => elicit(asked.form),
    url: () => elicitUrl({ message: asked.url.message, url: asked.url.url }),
    sampling: () => createMessage(asked.sampling),
    roots: () => listRoots(),
  };
  const given = (ctx: ServerContext) => ctx.mcpReq.inputResponses as Record<string, unknown> | undefined;
  const state = (ctx: ServerContext) => (ctx.mcpReq.requestState as unknown as () => unknown)();
  for (const kind of kinds)
    server.registerTool(kind, { inputSchema: z.object({ n: z.number().optional() }) }, (_args, ctx) => {
      const answer = given(ctx)?.["it"];
      if (answer !== undefined && state(ctx) === `state of ${kind}`) {
        o.begun?.push(kind);
        return text(answer);
      }
      return inputRequired({ inputRequests: { it: requests[kind]() }, requestState: `state of ${kind}` });
    });
  server.registerTool("twice", { inputSchema: z.object({}) }, (_args, ctx) => {
    const before = state(ctx);
    if (before === "second") return text("both");
    const inputRequests: InputRequests = { [before === "first" ? "b" : "a"]: elicit(asked.form) };
    return inputRequired({ inputRequests, requestState: before === "first" ? "second" : "first" });
  });
  server.registerTool("hold", { inputSchema: z.object({}) }, async () => {
    o.begun?.push("hold");
    await o.held;
    return text("held");
  });
  server.registerTool("endless", { inputSchema: z.object({}) }, () => inputRequired({ inputRequests: { it: elicit(asked.form) } }));
  server.registerPrompt("greet", {}, (ctx) => {
    const content = acceptedContent(given(ctx), "it");
    if (content === undefined) return inputRequired({ inputRequests: { it: elicit(asked.form) } });
    return { messages: [{ role: "user", content: { type: "text", text: JSON.stringify(content) } }] };
  });
  server.registerResource("card", "asking://card", {}, (uri, ctx) => {
    const content = acceptedContent(given(ctx), "it");
    if (content === undefined) return inputRequired({ inputRequests: { it: elicit(asked.form) } });
    return { contents: [{ uri: uri.href, text: JSON.stringify(content) }] };
  });
  return server;
}
