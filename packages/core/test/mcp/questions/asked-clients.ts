import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { onTestFinished } from "vitest";

/** What every client answers. */
export const answers = {
  form: { action: "accept", content: { name: "Ada" } },
  url: { action: "accept" },
  sampling: { role: "assistant", content: { type: "text", text: "Four." }, model: "m", stopReason: "endTurn" },
  roots: { roots: [{ uri: "file:///home/ada", name: "home" }] },
} as const;

export const everything = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} };
export interface AskedClient {
  /** Parameters of what it was asked, in order. */
  readonly got: { method: string; params: Record<string, unknown> | undefined }[];
  call(name: string, args?: object, o?: { signal?: AbortSignal }): Promise<{ content: { text: string }[]; isError?: boolean }>;
  getPrompt(p: { name: string }): Promise<{ messages: { content: { text?: string } }[] }>;
  readResource(p: { uri: string }): Promise<{ contents: { text?: string }[] }>;
  /** Of the v1 client: hears what is done that a person was sent to. */
  onCompleted(heard: (elicitationId: string) => void): void;
  close(): Promise<void>;
}
type Connect = (
  url: URL,
  o?: { capabilities?: object; bearer?: string; answer?: () => Promise<object>; onWithdrawn?: () => void },
) => Promise<AskedClient>;

const init = (bearer: string | undefined) =>
  bearer === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${bearer}` } } };
const elicited = (params: { mode?: string }) => (params.mode === "url" ? answers.url : answers.form);

export const oldClient: Connect = async (url, o = {}) => {
  const capabilities = (o.capabilities ?? everything) as typeof everything;
  const client = new OldClient({ name: "old", version: "1" }, { capabilities });
  const got: AskedClient["got"] = [];
  const hear =
    <T>(answer: (params: { mode?: string }) => T) =>
    async (request: { method: string; params?: unknown }, { signal }: { signal: AbortSignal }) => {
      got.push(request as (typeof got)[number]);
      if (signal.aborted) o.onWithdrawn?.();
      else signal.addEventListener("abort", () => o.onWithdrawn?.());
      return ((await o.answer?.()) ?? answer((request.params ?? {}) as { mode?: string })) as never;
    };
  if (capabilities.elicitation !== undefined) client.setRequestHandler(ElicitRequestSchema, hear(elicited));
  if (capabilities.sampling !== undefined)
    client.setRequestHandler(
      CreateMessageRequestSchema,
      hear(() => answers.sampling),
    );
  if (capabilities.roots !== undefined)
    client.setRequestHandler(
      ListRootsRequestSchema,
      hear(() => answers.roots),
    );
  await client.connect(new OldTransport(url, init(o.bearer)) as Parameters<typeof client.connect>[0]);
  onTestFinished(() => client.close());
  const call = (name: string, args: object = {}, more: object = {}) => client.callTool({ name, arguments: args as never }, undefined, more);
  const onCompleted: AskedClient["onCompleted"] = (heard) =>
    client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => heard(params.elicitationId));
  return Object.assign(client, { got, call, onCompleted }) as unknown as AskedClient;
};

export const newClient: Connect = async (url, o = {}) => {
  const capabilities = (o.capabilities ?? everything) as typeof everything;
  const client = new NewClient({ name: "new", version: "1" }, { capabilities, versionNegotiation: { mode: { pin: "2026-07-28" } } });
  const got: AskedClient["got"] = [];
  const hear =
    <T>(answer: (params: { mode?: string }) => T) =>
    async (request: { method: string; params?: unknown }) => {
      got.push(request as (typeof got)[number]);
      return ((await o.answer?.()) ?? answer((request.params ?? {}) as { mode?: string })) as never;
    };
  if (capabilities.elicitation !== undefined) client.setRequestHandler("elicitation/create", hear(elicited));
  if (capabilities.sampling !== undefined)
    client.setRequestHandler(
      "sampling/createMessage",
      hear(() => answers.sampling),
    );
  if (capabilities.roots !== undefined)
    client.setRequestHandler(
      "roots/list",
      hear(() => answers.roots),
    );
  await client.connect(new NewTransport(url, init(o.bearer)));
  onTestFinished(() => client.close());
  const call = (name: string, args: object = {}, more: object = {}) => client.callTool({ name, arguments: args as never }, more);
  return Object.assign(client, { got, call }) as unknown as AskedClient;
};
