import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller, ModelEvent } from "../../src/calls/index.js";
import { rateLimit, type RateLimitRow } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { insert } from "../../src/ports/index.js";
import { createTestGateway } from "../../src/testing/index.js";

type Options = NonNullable<Parameters<typeof createTestGateway>[0]>;
/** What a vendor says it used, and whether it answers. */
type Told = { readonly tokens: number | null; readonly fails?: boolean };

async function* answer({ tokens, fails = false }: Told): AsyncGenerator<ModelEvent> {
  yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
  if (tokens !== null) yield { type: "usage", usage: { inputTokens: tokens } };
  if (fails) throw new GatewayError("upstream_unavailable", "It is down.");
  yield { type: "text-start", index: 0, block: 0 };
  yield { type: "text-delta", index: 0, block: 0, text: "fine" };
  yield { type: "text-end", index: 0, block: 0 };
  yield { type: "finish", index: 0, reason: "stop" };
}

async function limited(rows: readonly Partial<RateLimitRow>[], vendors: Record<string, (n: number) => Told>, options: Options = {}) {
  const store = memoryStore();
  const none = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null, enabled: true };
  const writes = rows.map((row, i) =>
    insert(rateLimit, { ...none, ...row, id: `limit_${i}` } as Parameters<typeof insert<RateLimitRow>>[1]),
  );
  if (writes.length > 0) await store.commit([{ scope: { system: "test" }, writes }], { deadlineMs: Number.MAX_SAFE_INTEGER });
  const auth = (): Caller => ({ kind: "user", id: "u1", userId: "u1", name: "Ada", projects: ["default"], grants: ["*"] });
  const storage = { name: "memory", open: () => Promise.resolve(store) };
  const gateway = await createTestGateway({ storage, auth, ...options });
  onTestFinished(() => gateway.close());
  for (const [name, does] of Object.entries(vendors)) {
    let n = 0;
    gateway.providers.add({ name, models: ["m"], answer: () => answer(does(++n)) });
  }
  const targets = Object.keys(vendors).map((name) => ({ model: `${name}/m` }));
  if (targets.length > 0) await gateway.routes.add("r", { targets, retries: { max: targets.length === 1 ? 1 : 0, baseMs: 1 } });
  return async (model = "route/r"): Promise<number> => {
    const body = JSON.stringify({ model, max_tokens: 10, messages: [{ role: "user", content: "hi" }] });
    const headers = { authorization: "Bearer x", "content-type": "application/json" };
    const response = await gateway.fetch(new Request("http://localhost/v1/chat/completions", { method: "POST", headers, body }));
    await response.text();
    return response.status;
  };
}

describe("tokens of a call that was tried several times", () => {
  it("count once for the model, not once for each attempt", async () => {
    const row = { subject: "model", subjectId: "v/m", tokensPerMinute: 2_000 } as const;
    const ask = await limited([row], { v: (n) => (n % 2 === 1 ? { tokens: null, fails: true } : { tokens: 1_100 }) });
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429]);
  });

  it("count for the target that used them, also for one that failed", async () => {
    const row = (id: string, tokensPerMinute: number) => ({ subject: "provider", subjectId: id, tokensPerMinute }) as const;
    const vendors = { v: () => ({ tokens: 700, fails: true }), w: () => ({ tokens: 400 }) };
    const ask = await limited([row("v", 600), row("w", 900)], vendors);
    // `v` is at its limit after the first; `w` has 400, then 800, then 1,200.
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 200, 200, 429]);
    expect(await ask("v/m")).toBe(429);
  });
});

describe("a person who is signed in without a key", () => {
  it("has what limits.perKey gives a key, over all sessions", async () => {
    const ask = await limited([], {}, { limits: { perKey: { requestsPerMinute: 2 } } });
    expect([await ask("demo/echo"), await ask("demo/echo"), await ask("demo/echo")]).toEqual([200, 200, 429]);
  });

  it("has other limits where a row names the person", async () => {
    const row = { subject: "key", subjectId: "user:u1", requestsPerMinute: 1 } as const;
    const ask = await limited([row], {}, { limits: { perKey: { requestsPerMinute: 5 } } });
    expect([await ask("demo/echo"), await ask("demo/echo")]).toEqual([200, 429]);
  });
});
