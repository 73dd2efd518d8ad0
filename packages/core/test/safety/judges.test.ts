import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { TEST_OWNER_KEY } from "../../src/testing/index.js";
import type { Caller, ModerateAnswer, ModerateCall } from "../../src/calls/index.js";
import { usageEntry } from "../../src/entities/index.js";
import { saying, SECRET, served, type Served } from "./safety-harness.js";

const model = "test/script";
const ask = (to: Served, content: string, rest: object = {}) =>
  to.post("/v1/chat/completions", { model, messages: [{ role: "user", content }], ...rest });
const text = async (response: Response) =>
  ((await response.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;

/** A receiver of webhooks on loopback that answers as a test says. */
async function receiver(answer: (body: { texts: string[] }) => unknown, status = 200) {
  const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      seen.push({ headers: request.headers, body });
      const said = answer(JSON.parse(body) as { texts: string[] });
      if (said === undefined) return; // never answers
      response.writeHead(status, { "content-type": "application/json" }).end(typeof said === "string" ? said : JSON.stringify(said));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen };
}

describe("a webhook", () => {
  const secret = "a-secret-of-more-than-16-characters";

  it("is asked with the texts, signed, and its finding blocks (standardwebhooks.com)", async () => {
    const hook = await receiver(({ texts }) => ({
      findings: texts.flatMap((each, i) =>
        each.includes("bad") ? [{ text: i, type: "malicious", severity: "critical", pattern: "my rule" }] : [],
      ),
    }));
    const to = await served({
      model: saying({ text: "fine" }),
      guardrails: { mine: { kind: "webhook", stages: ["input"], settings: { url: hook.url, secret } } },
    });
    expect((await ask(to, "good")).status).toBe(200);
    const refused = await ask(to, "bad");
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("content_blocked")]);
    const [{ headers, body }] = hook.seen as [{ headers: IncomingHttpHeaders; body: string }];
    expect(JSON.parse(body)).toMatchObject({
      guardrail: "mine",
      stage: "input",
      model,
      texts: ["good"],
      caller: { id: "key_owner", project: "default" },
    });
    const signed = `${headers["webhook-id"] as string}.${headers["webhook-timestamp"] as string}.${body}`;
    expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", secret).update(signed).digest("base64")}`);
    expect(await to.detections()).toMatchObject([{ guardrail: "mine", type: "malicious", severity: "critical", pattern: "my rule" }]);
  });

  it("says what stands in a text's place when it masks", async () => {
    const hook = await receiver(({ texts }) => ({ findings: [{ text: 0, replacement: texts[0]!.replaceAll("secret", "***") }] }));
    const asked = saying({ text: "the secret is out", piece: 2 });
    const to = await served({
      model: asked,
      guardrails: { mine: { kind: "webhook", action: "mask", settings: { url: hook.url, secret } } },
    });
    expect(await text(await ask(to, "my secret"))).toBe("the *** is out");
    expect(JSON.stringify(asked.given)).toContain("my ***");
  });

  it.each([
    ["answers an error", (): unknown => "{}", 500],
    ["answers no JSON", (): unknown => "nonsense", 200],
    ["answers something else", (): unknown => ({ findings: [{ text: 9 }] }), 200],
    ["does not answer in time", (): unknown => undefined, 200],
  ] as const)("that %s lets nothing pass, unless its operator said so", async (_what, answer, status) => {
    const hook = await receiver(answer, status);
    const guardrails = (onError: "block" | "allow") => ({
      mine: { kind: "webhook" as const, stages: ["input" as const], settings: { url: hook.url, secret, timeoutMs: 200, onError } },
    });
    const asked = saying({ text: "fine" });
    const strict = await served({ model: asked, guardrails: guardrails("block") });
    const refused = await ask(strict, "x");
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("could not judge")]);
    expect(asked.given).toEqual([]);
    expect((await ask(await served({ model: saying({ text: "fine" }), guardrails: guardrails("allow") }), "x")).status).toBe(200);
  });

  it("of a record is never dialled at a private address", async () => {
    const hook = await receiver(() => ({ findings: [] }));
    const to = await served({ model: saying({ text: "fine" }) });
    const made = await to.post("/api/v1/guardrails", {
      name: "inner",
      kind: "webhook",
      stages: ["input"],
      settings: { url: hook.url, timeout_ms: 500 },
    });
    expect(made.status).toBe(201);
    expect((await ask(to, "x")).status).toBe(403);
    expect(hook.seen).toEqual([]);
  });
});

describe("a classifier", () => {
  async function classified(
    o: { flags?: (input: string) => boolean; fails?: true; settings?: object; action?: "block" | "warn"; callers?: Caller } = {},
  ): Promise<Served & { readonly calls: ModerateCall[] }> {
    const calls: ModerateCall[] = [];
    const to = await served({
      model: saying({ text: "you are awful", piece: 2 }),
      guardrails: { mod: { kind: "moderation", action: o.action ?? "block", settings: { model: "judge/mod", ...o.settings } } },
      ...(o.callers === undefined ? {} : { auth: () => o.callers! }),
    });
    to.gateway.providers.add({
      name: "judge",
      models: ["mod"],
      operations: {
        moderate: (call: ModerateCall): Promise<ModerateAnswer> => {
          calls.push(call);
          if (o.fails === true) return Promise.reject(new Error("down"));
          const results = call.inputs.map((input) => {
            const bad = o.flags?.(String(input)) === true;
            return { flagged: bad, categories: { harassment: bad }, scores: { harassment: bad ? 0.9 : 0.3 } };
          });
          return Promise.resolve({ model: "mod", results, usage: {} });
        },
      },
    });
    return { ...to, calls };
  }

  it("judges what is asked and what is answered, as a call of its own that passes no guardrail", async () => {
    const to = await classified({ flags: (input) => input.includes("awful") });
    const refused = await ask(to, "hello");
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("content_blocked")]);
    expect(to.calls.map(({ inputs }) => inputs)).toEqual([["hello"], ["you are awful"]]);
    expect(await to.detections()).toMatchObject([
      { guardrail: "mod", stage: "output", type: "malicious", pattern: "harassment", confidence: 900 },
    ]);
    const { rows } = await to.store.find(
      usageEntry,
      { orderBy: "atMs", limit: 10 },
      { system: "a test" },
      { deadlineMs: Date.now() + 5_000 },
    );
    const own = rows.filter(({ purpose }) => purpose === "guardrail");
    expect(own.map(({ name, operation, callerId }) => [name, operation, callerId])).toEqual(
      own.map(() => ["judge/mod", "moderate", "key_owner"]),
    );
    expect(own).toHaveLength(2);
  });

  it("counts by the score where the guardrail says one", async () => {
    expect((await ask(await classified({ settings: { threshold: 0.2 } }), "x")).status).toBe(403);
    expect((await ask(await classified({ settings: { threshold: 0.5 } }), "x")).status).toBe(200);
    expect((await ask(await classified({ settings: { threshold: 0.2, categories: ["violence"] } }), "x")).status).toBe(200);
  });

  it("that is down lets nothing pass, unless its operator said so, or it would only have warned", async () => {
    expect((await ask(await classified({ fails: true }), "x")).status).toBe(403);
    expect((await ask(await classified({ fails: true, settings: { onError: "allow" } }), "x")).status).toBe(200);
    expect((await ask(await classified({ fails: true, action: "warn" }), "x")).status).toBe(200);
  });

  it("is called with the caller's own grants", async () => {
    const callers: Caller = { kind: "host", id: "h", name: "h", projects: ["default"], grants: ["models:test/*"] };
    const to = await classified({ callers });
    expect((await ask(to, "x")).status).toBe(403);
    expect(to.calls).toEqual([]);
  });
});

describe("a check in code", () => {
  it("is added and taken away while the gateway runs, and sees where it looks", async () => {
    const to = await served({ model: saying({ text: "the moon" }) });
    const seen: unknown[] = [];
    const remove = to.gateway.guardrails.add({
      name: "moon",
      stages: ["input", "output"],
      check: (said, { stage, callerId, model: name }) => {
        seen.push([said, stage, callerId, name]);
        return said.includes("moon") && stage === "output" ? { type: "custom", severity: "low", pattern: "lunar" } : null;
      },
    });
    expect((await ask(to, "a moon?")).status).toBe(403);
    expect(seen).toEqual([
      ["a moon?", "input", "key_owner", model],
      ["the moon", "output", "key_owner", model],
    ]);
    expect(() => to.gateway.guardrails.add({ name: "moon", check: () => null })).toThrow(/already a guardrail/);
    remove();
    expect((await ask(to, "a moon?")).status).toBe(200);
    expect((await to.gateway.guardrails.test({ input: "moon", rules: { kind: "words", settings: { words: ["moon"] } } })).action).toBe(
      "block",
    );
  });

  it("that throws lets nothing pass", async () => {
    const to = await served({ model: saying({ text: "x" }) });
    to.gateway.guardrails.add({
      name: "broken",
      check: () => {
        throw new Error("the check has a secret in it");
      },
    });
    const refused = await ask(to, "x");
    expect(refused.status).toBe(403);
    expect(await refused.text()).not.toContain("secret");
  });
});

describe("operations beside chat", () => {
  it("are read, masked, and their texts guarded", async () => {
    const to = await served({
      model: saying({ text: "x" }),
      guardrails: { keys: { kind: "secrets", action: "mask" }, words: { kind: "words", settings: { words: ["tangerine"] } } },
    });
    const given: unknown[] = [];
    to.gateway.providers.add({
      name: "own",
      models: ["any"],
      operations: {
        embed: (call) => {
          given.push(call.inputs);
          return Promise.resolve({ model: "any", vectors: call.inputs.map(() => [1]), usage: {} });
        },
        transcribe: () => Promise.resolve({ model: "any", text: `said ${SECRET}`, words: [{ start: 0, end: 1, word: SECRET }], usage: {} }),
        image: () => Promise.resolve({ model: "any", createdAtMs: 0, images: [], usage: {} }),
      },
    });
    expect((await to.post("/v1/embeddings", { model: "own/any", input: ["plain", `key ${SECRET}`] })).status).toBe(200);
    expect(given).toEqual([["plain", "key [github_token]"]]);
    expect((await to.post("/v1/embeddings", { model: "own/any", input: "tangerine" })).status).toBe(403);
    // Numbers of tokens and pictures are nothing that can be read.
    expect((await to.post("/v1/embeddings", { model: "own/any", input: [[1, 2, 3]] })).status).toBe(403);
    expect((await to.post("/v1/images/generations", { model: "own/any", prompt: "a cat" })).status).toBe(403);
    const lax = await served({ model: saying({ text: "x" }), guardrails: { keys: { kind: "secrets", action: "mask" } } });
    lax.gateway.providers.add({
      name: "own",
      models: ["any"],
      operations: {
        transcribe: () => Promise.resolve({ model: "any", text: `said ${SECRET}`, words: [{ start: 0, end: 1, word: SECRET }], usage: {} }),
      },
    });
    const form = new FormData();
    form.append("model", "own/any");
    form.append("file", new File([new Uint8Array(8)], "a.wav", { type: "audio/wav" }));
    form.append("response_format", "verbose_json");
    const response = await fetch(`${lax.base}/v1/audio/transcriptions`, {
      method: "POST",
      headers: { authorization: `Bearer ${lax.openai.apiKey}` },
      body: form,
    });
    const said = await response.text();
    expect(said).toContain("said [github_token]");
    expect(said).not.toContain(SECRET);
  });
});

describe("a guardrail for some calls", () => {
  it("looks at a route whose models it names, and at the callers it names", async () => {
    const guardrails = { words: { kind: "words" as const, settings: { words: ["tangerine"] }, applies: { models: ["test/*"] } } };
    const to = await served({ model: saying({ text: "x" }), guardrails });
    await to.gateway.routes.add("fast", { targets: [{ model: "test/script" }] });
    expect((await ask(to, "tangerine", { model: "route/fast" })).status).toBe(403);
    expect((await ask(to, "tangerine", { model: "demo/echo" })).status).toBe(200);
    const keyed = await served({
      model: saying({ text: "x" }),
      guardrails: { words: { ...guardrails.words, applies: { keys: ["other"] } } },
    });
    expect((await ask(keyed, "tangerine")).status).toBe(200);
  });

  it("for a key looks at the calls of all keys made from it, at any depth, and at no others (T05)", async () => {
    const to = await served({ model: saying({ text: "x" }) });
    const rights = { scopes: ["models:*", "keys:write", "guardrails:write"] };
    const post = (path: string, key: string, body: unknown) =>
      fetch(to.base + path, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const made = async (by: string) => ((await (await post("/api/v1/keys", by, { name: "c", ...rights })).json()) as { key: string }).key;
    const [parent, other] = [
      await to.gateway.keys.create({ name: "parent", ...rights }),
      await to.gateway.keys.create({ name: "o", ...rights }),
    ];
    const child = await made(parent.key);
    const grandchild = await made(child);
    const words = { name: "fruit", kind: "words", settings: { words: ["tangerine"] }, applies: { keys: [parent.id] } };
    expect((await post("/api/v1/guardrails", TEST_OWNER_KEY, words)).status).toBe(201);
    const body = { model: "test/script", messages: [{ role: "user", content: "a tangerine" }] };
    const status = async (key: string) => (await post("/v1/chat/completions", key, body)).status;
    for (const key of [parent.key, child, grandchild]) expect(await status(key)).toBe(403);
    for (const key of [other.key, await made(other.key)]) expect(await status(key)).toBe(200);
  });

  it("whose settings its engine cannot work with says so at the start", async () => {
    await expect(
      served({ guardrails: { bad: { kind: "regex", settings: { patterns: [{ pattern: "(?<=a)b" }] } } } }),
    ).rejects.toMatchObject({ code: "validation_failed" });
  });
});
