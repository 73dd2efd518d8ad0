import { misbehavingUpstream, type Behaviour, type Upstream } from "@sallyport/adapter-kit";
import type { Gateway } from "@sallyport/core";
import { auditEntry, usageEntry, type AuditRow, type UsageRow } from "@sallyport/core/entities";
import { memoryStore } from "@sallyport/core/memory";
import { serve } from "@sallyport/core/node";
import { createTestGateway, TEST_OWNER_KEY, type TestGatewayOptions } from "@sallyport/core/testing";
import { onTestFinished } from "vitest";
import { chatFace, vendors, type Cell, type Face, type Read } from "./faces.js";
import { rawClient, type HttpAnswer, type RawClient } from "./raw-client.js";

/** How each vendor's dialect is reached: a vendor of ours that speaks it, at another address. */
const vendorOf = { chat: "openai-compatible", messages: "anthropic", google: "google", responses: "openai" } as const;
const suffix = { chat: "/v1", messages: "", google: "", responses: "/v1" } as const;
/** As long as any vendor's key, and nobody's. */
export const KEY = "sk-kit-canary-0123456789abcdef";

export interface UnderTest {
  readonly gateway: Gateway;
  readonly port: number;
  /** Rows once so many calls are over. */
  rows(count: number): Promise<{ readonly usage: readonly UsageRow[]; readonly audit: readonly AuditRow[] }>;
  /** All that was logged. */
  readonly logged: readonly string[];
}

/** A real gateway behind a real listener, with its ledgers to be read. */
export async function gatewayUnderTest(options: TestGatewayOptions): Promise<UnderTest> {
  const store = memoryStore();
  const logged: string[] = [];
  const log = (level: string, message: string, fields?: object): void => void logged.push(JSON.stringify({ level, message, ...fields }));
  const gateway = await createTestGateway({
    mcpServers: {},
    ...options,
    log,
    logging: { level: "debug" },
    storage: { name: "memory", open: () => Promise.resolve(store) },
  });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const all = { orderBy: "atMs", limit: 1_000 } as const;
  const within = () => ({ deadlineMs: Date.now() + 5_000 });
  const rows = async (count: number) => {
    for (;;) {
      const usage = await store.find(usageEntry, all, { system: "a test" }, within());
      const audit = await store.find(auditEntry, all, { system: "a test" }, within());
      if (usage.rows.length >= count) return { usage: usage.rows, audit: audit.rows };
      await new Promise((later) => setTimeout(later, 2));
    }
  };
  return { gateway, port: serving.port, rows, logged };
}

export interface CellSetting {
  readonly vendor?: Cell;
  readonly config?: TestGatewayOptions;
  readonly provider?: Record<string, unknown>;
}
/** A gateway with one provider, `lab`, that is a misbehaving upstream. */
export async function cell(behaviour: Behaviour, o: CellSetting = {}): Promise<UnderTest & { readonly upstream: Upstream }> {
  const upstream = await upstreamUntilEnd(behaviour);
  return { ...(await gatewayUnderTest({ ...o.config, providers: { lab: labOf(upstream.url, o) } as never })), upstream };
}
export async function upstreamUntilEnd(behaviour: Behaviour): Promise<Upstream> {
  const upstream = await misbehavingUpstream(behaviour);
  onTestFinished(() => upstream.close());
  return upstream;
}
export function labOf(url: string, { vendor = "chat", provider = {} }: CellSetting = {}): Record<string, unknown> {
  const { protocol } = vendors[vendor]();
  return { vendor: vendorOf[vendor], baseUrl: url + suffix[vendor], apiKey: KEY, protocols: [protocol], ...provider };
}

export interface Asking {
  readonly face?: Face;
  readonly model?: string;
  readonly stream?: boolean;
  readonly tool?: boolean;
  readonly text?: string;
}
export function ask(set: Pick<UnderTest, "port">, o: Asking = {}): RawClient {
  const { face = chatFace, model = "lab/m", stream = true, tool = false, text = "hello" } = o;
  return rawClient({ port: set.port, path: face.path(model, stream), body: face.body(model, { text, stream, tool }), key: TEST_OWNER_KEY });
}
/** Asks for a stream and reads it to its end. */
export async function askAll(set: Pick<UnderTest, "port">, o: Asking = {}): Promise<HttpAnswer & { readonly read: Read }> {
  const answer = await ask(set, o).answer();
  return { ...answer, read: (o.face ?? chatFace).read(answer.body) };
}
