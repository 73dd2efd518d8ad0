import { inputRequired, McpServer as NewServer, type InputRequests, type ServerContext } from "@modelcontextprotocol/server";
import { McpServer as OldServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { ServerRequest } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import type { McpServerInput } from "../../../src/mcp/index.js";
import type { TestGatewayOptions } from "../../../src/testing/index.js";
import { newHttpStory, oldHttpStory } from "../servers/http-story.js";

/** A word that a server says, and one that a client says: what guardrails stop may arrive nowhere. */
export const ASKED = "tangerine";
export const ANSWERED = "kumquat";

export type Action = "block" | "mask" | "warn" | "log";
/** A guardrail that looks for both. */
export const words = (action: Action) =>
  ({ w: { kind: "words", settings: { words: [ASKED, ANSWERED] }, action } }) satisfies TestGatewayOptions["guardrails"];

export interface Script {
  question: { readonly method: string; readonly params?: object };
  /** What a server up to 2025-11-25 asks afterwards. */
  then?: Script["question"];
  /** What the server was answered. */
  readonly seen: unknown[];
  /** What it was told instead. */
  readonly refused: string[];
  /** How often its tool was told that nobody waits any more. */
  readonly cancelled: string[];
  /** A server up to 2025-11-25 asks after this. */
  before: Promise<void>;
}
export const script = (): Script => ({
  question: { method: "roots/list" },
  seen: [],
  refused: [],
  cancelled: [],
  before: Promise.resolve(),
});
const done = { content: [{ type: "text" as const, text: "done" }] };
const info = { name: "asking", version: "1" };

/** One tool that asks what the script says, in both lines of the official SDK. */
export const upstreams: Readonly<Record<string, (told: Script) => Promise<McpServerInput>>> = {
  "a server up to 2025-11-25": async (told) => {
    const make = (): OldServer => {
      const server = new OldServer(info, { capabilities: { tools: {}, prompts: {} } });
      server.registerTool("ask", { inputSchema: {} }, async (_args, extra) => {
        extra.signal.addEventListener("abort", () => told.cancelled.push("ask"));
        await told.before;
        const ask = async (question: Script["question"]) =>
          extra.sendRequest(question as ServerRequest, z.looseObject({})).then(
            (answer) => void told.seen.push(answer),
            (error: Error) => void told.refused.push(error.message),
          );
        await ask(told.question);
        if (told.then !== undefined) await ask(told.then);
        return done;
      });
      server.registerPrompt("ask", {}, async (extra) => {
        told.seen.push(await extra.sendRequest(told.question as ServerRequest, z.looseObject({})));
        return { messages: [] };
      });
      return server;
    };
    return { url: (await oldHttpStory({ make })).url };
  },
  "a server since 2026-07-28": async (told) => {
    const make = (): NewServer => {
      const server = new NewServer(info, { capabilities: { tools: {}, prompts: {} } });
      server.registerTool("ask", { inputSchema: z.object({}) }, (_args, ctx: ServerContext) => {
        const answer = (ctx.mcpReq.inputResponses as Record<string, unknown> | undefined)?.["it"];
        if (answer === undefined) return inputRequired({ inputRequests: { it: told.question } as InputRequests, requestState: "s" });
        told.seen.push(answer);
        return done;
      });
      server.registerPrompt("ask", {}, (ctx: ServerContext) => {
        const answer = (ctx.mcpReq.inputResponses as Record<string, unknown> | undefined)?.["it"];
        if (answer === undefined) return inputRequired({ inputRequests: { it: told.question } as InputRequests });
        told.seen.push(answer);
        return { messages: [] };
      });
      return server;
    };
    return { url: (await newHttpStory("reject", make)).url };
  },
};

const form = (message: string, properties: object) => ({
  method: "elicitation/create",
  params: { mode: "form", message, requestedSchema: { type: "object", properties } },
});
const model = (params: object) => ({
  method: "sampling/createMessage",
  params: { maxTokens: 10, messages: [{ role: "user", content: { type: "text", text: "Two?" } }], ...params },
});

/** Every place where a question has words of its server's. */
export const questions: Readonly<Record<string, Script["question"]>> = {
  "the message of a form": form(`a ${ASKED}`, { name: { type: "string" } }),
  "the title of a field": form("Who?", { name: { type: "string", title: `a ${ASKED}` } }),
  "the name of a field": form("Who?", { [ASKED]: { type: "string" } }),
  "what is chosen from": form("Who?", { name: { type: "string", enum: ["a", ASKED] } }),
  "the message beside a page": {
    method: "elicitation/create",
    params: { mode: "url", message: `a ${ASKED}`, url: "https://sign-in.example/", elicitationId: "e" },
  },
  "a model's prompt": model({ messages: [{ role: "user", content: { type: "text", text: `a ${ASKED}` } }] }),
  "a model's system prompt": model({ systemPrompt: `a ${ASKED}` }),
  "what stops a model": model({ stopSequences: [ASKED] }),
  "metadata of a provider's": model({ metadata: { deep: [{ [ASKED]: ASKED }] } }),
  "what is nobody's": { method: "roots/list", params: { _meta: { "x/y": ASKED } } },
};

const named = form("Who?", { name: { type: "string" } });
/** Every place where an answer has words of its client's, with what it answers. */
export const answers: Readonly<Record<string, readonly [Script["question"], object]>> = {
  "the field of a form": [named, { action: "accept", content: { name: `a ${ANSWERED}` } }],
  "the name of a field": [named, { action: "accept", content: { [ANSWERED]: "a" } }],
  "what a model said": [model({}), { role: "assistant", content: { type: "text", text: `a ${ANSWERED}` }, model: "m" }],
  "a model's name": [model({}), { role: "assistant", content: { type: "text", text: "a" }, model: ANSWERED }],
  "the place of a folder": [{ method: "roots/list" }, { roots: [{ uri: `file:///${ANSWERED}/x`, name: "x" }] }],
};
