import { afterEach, describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/entities/index.js";
import { GatewayError } from "../../../src/errors/index.js";
import { chat, closeAll, completion, json, options, read, routing, streamed, upstream, type Reply } from "../harness.js";

// Faults of threats-and-faults.md, injected for real: vendors on loopback that misbehave.
afterEach(closeAll);

const compatible = (base: string, rest: object = {}) => ({
  vendor: "openai-compatible" as const,
  baseUrl: base,
  apiKey: "sk-lab",
  ...rest,
});
const error = (message: string, rest: object = {}) => JSON.stringify({ error: { message, type: "x", param: null, code: null, ...rest } });
const down = json(error("overloaded"), 503);

/** A route over vendors on loopback, in their order; how each answers may be changed while it runs. */
async function over(replies: readonly Reply[], o: { readonly route?: Partial<RouteInput>; readonly providers?: readonly object[] } = {}) {
  const now = [...replies];
  const vendors = await Promise.all(replies.map((_, i) => upstream((seen, answer, incoming) => now[i]!(seen, answer, incoming))));
  const names = ["a", "b", "c", "d"];
  const providers = Object.fromEntries(vendors.map(({ base }, i) => [names[i]!, compatible(base, o.providers?.[i])]));
  const r = { targets: vendors.map((_, i) => ({ model: `${names[i]!}/m` })), ...o.route };
  const set = routing({ providers, config: { routes: { r } } });
  const ask = (body: Record<string, unknown> = {}) => set.models.relay(chat({ model: "route/r", ...body }), options());
  /** What became of a call: who answered, or the failure. */
  const outcome = (body: Record<string, unknown> = {}): Promise<string | GatewayError> =>
    ask(body).then(
      async (answer) => {
        await read(answer);
        return new Map(answer.headers).get("x-sallyport-provider")!;
      },
      (thrown: unknown) => GatewayError.from(thrown),
    );
  return { ...set, vendors, now, ask, outcome, hits: () => vendors.map(({ seen }) => seen.length) };
}
const total = (hits: readonly number[]) => hits.reduce((sum, n) => sum + n, 0);

describe("F59: a total outage of 200 offered calls", () => {
  it.each([
    ["one target, repeated", 1, {}],
    ["one target, repeated as often as can be", 1, { retries: { max: 5, baseMs: 1, maxMs: 5 } }],
    ["two targets", 2, {}],
    ["three targets, repeated", 3, { retries: { max: 2, baseMs: 1, maxMs: 5 } }],
  ] as const)("all at once is no more than a tenth more upstream: %s", async (_name, count, route) => {
    const set = await over(
      Array.from({ length: count }, () => down),
      { route },
    );
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => set.outcome()));
    expect(outcomes.every((outcome) => GatewayError.is(outcome, "upstream_unavailable"))).toBe(true);
    expect(total(set.hits())).toBeLessThanOrEqual(220);
    expect((await set.ledgers()).usage.length).toBe(200);
  });

  it("one after the other is soon nearly nothing upstream, since the circuit opens", async () => {
    const set = await over([down, down], { route: { retries: { max: 2, baseMs: 1, maxMs: 5 } } });
    for (let i = 0; i < 200; i++) await set.outcome();
    expect(total(set.hits())).toBeLessThanOrEqual(20);
  });

  it("of rate limits is no more either, however many keys there are", async () => {
    const apiKeys = ["k1", "k2", "k3", "k4"].map((value) => ({ value }));
    const limited = json(error("slow down"), 429, { "retry-after": "30" });
    const set = await over([limited, limited], {
      providers: [
        { apiKey: undefined, apiKeys },
        { apiKey: undefined, apiKeys },
      ],
    });
    for (let i = 0; i < 200; i++) await set.outcome();
    expect(total(set.hits())).toBeLessThanOrEqual(220);
  });

  it("of one vendor alone moves every call to the other, at once", async () => {
    const set = await over([down, json(completion("b"))]);
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => set.outcome()));
    expect(new Set(outcomes)).toEqual(new Set(["b"]));
    expect(set.hits()[1]).toBe(200);
  });
});

describe("F44, F45, F46: a vendor that cannot be reached, never begins, or begins with an error", () => {
  const silent: Reply = () => undefined;
  const headAlone: Reply = (_seen, answer) => {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    answer.flushHeaders();
  };
  const commentsAlone: Reply = (_seen, answer) => {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => answer.write(": still here\n\n"), 10);
    answer.on("close", () => clearInterval(timer));
  };
  const refusing: Reply = (_seen, _answer, incoming) => void incoming.socket.destroy();
  const errorFirst: Reply = (_seen, answer) => {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    answer.end(`data: ${error("overloaded", { code: "overloaded" })}\n\n`);
  };

  it.each([
    ["hangs up", refusing],
    ["is silent", silent],
    ["sends its head and no token", headAlone],
    ["sends comments and no token", commentsAlone],
    ["sends an error first", errorFirst],
  ])("that %s is stood in for within the route's time, and its caller sees one clean stream", async (_name, reply) => {
    const set = await over([reply, streamed("b")], { route: { timeouts: { firstTokenMs: 150 } } });
    const answer = await set.ask({ stream: true });
    expect(Object.fromEntries(answer.headers)).toMatchObject({ "x-sallyport-provider": "b", "x-sallyport-attempts": "2" });
    const text = await read(answer);
    expect(text).toContain('"content":"b"');
    expect(text).not.toContain("error");
    expect((await set.ledgers()).usage).toEqual([expect.objectContaining({ provider: "b", partial: false })]);
  });

  it("leaves one row with an error and no tokens when nobody stands in", async () => {
    const set = await over([silent], { route: { timeouts: { firstTokenMs: 50 }, retries: { max: 0 } } });
    expect(await set.outcome({ stream: true })).toMatchObject({ code: "upstream_timeout", details: { provider: "a" } });
    const { usage, audit } = await set.ledgers();
    expect(usage).toEqual([expect.objectContaining({ inputTokens: null, outputTokens: null, status: 504 })]);
    expect(audit).toEqual([expect.objectContaining({ code: "upstream_timeout", outcome: "failed" })]);
  });

  it("is dialled no longer once its time is over", async () => {
    let hungUp = false;
    const watched: Reply = (_seen, _answer, incoming) => void incoming.socket.on("close", () => (hungUp = true));
    const set = await over([watched, streamed("b")], { route: { timeouts: { firstTokenMs: 50 } } });
    expect(await set.outcome({ stream: true })).toBe("b");
    while (!hungUp) await new Promise((resolve) => setTimeout(resolve, 1));
  });
});

describe("F58: a vendor that says when to come back", () => {
  it.each([
    ["seconds", () => ({ "retry-after": "20" })],
    ["a date", () => ({ "retry-after": new Date(Date.now() + 20_500).toUTCString() })],
    ["milliseconds", () => ({ "retry-after-ms": "20000" })],
    ["a reset", () => ({ "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20s" })],
  ])("in %s is left alone until then, and its caller is told", async (_name, headers: () => Record<string, string>) => {
    const set = await over([(seen, answer, incoming) => json(error("slow down"), 429, headers())(seen, answer, incoming)]);
    const outcome = (await set.outcome()) as GatewayError;
    expect(outcome.code).toBe("upstream_rate_limited");
    expect(outcome.retryAfterMs! / 1_000).toBeCloseTo(20, -0.5);
    expect(set.hits()).toEqual([1]);
  });

  it.each([["86400000"], ["-5"], ["soon"], [""]])("in nonsense (%j) is no reason to wait for long, or to hurry", async (wish) => {
    const set = await over([json(error("slow down"), 429, { "retry-after": wish }), json(completion("b"))]);
    for (let i = 0; i < 5; i++) expect(await set.outcome()).toBe("b");
    expect(set.hits()[0]).toBeLessThanOrEqual(5);
  });
});

describe("F60: a stand-in that cannot do what the call needs", () => {
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  const plain = { models: [{ id: "m", features: ["chat", "streaming"] }] };
  const able = { models: [{ id: "m", features: ["chat", "streaming", "tools"] }] };

  it("is passed over, and the next one that can is asked", async () => {
    const set = await over([down, json(completion("b")), json(completion("c"))], { providers: [able, plain, able] });
    expect(await set.outcome({ tools })).toBe("c");
    expect(await set.outcome()).toBe("b");
  });

  it("is not asked in place of a failure", async () => {
    const set = await over([down, json(completion("b"))], { providers: [able, plain] });
    expect(await set.outcome({ tools })).toMatchObject({ code: "upstream_unavailable" });
    expect(set.hits()[1]).toBe(0);
  });

  it("leaves nobody when all are like it: the call is refused, naming what is missing", async () => {
    const set = await over([json(completion("a"))], { providers: [plain] });
    expect(await set.outcome({ tools })).toMatchObject({ code: "unsupported_feature", details: { missing: "tools", targets: ["a/m"] } });
    const image = { role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] };
    expect(await set.outcome({ messages: [image] })).toMatchObject({ code: "unsupported_feature", details: { missing: "vision" } });
    expect(set.hits()).toEqual([0]);
  });

  it("may be able for all that anybody knows when nobody listed its features", async () => {
    const set = await over([down, json(completion("b"))], { providers: [able, {}] });
    expect(await set.outcome({ tools })).toBe("b");
  });
});

describe("F62: a key that is revoked while it is used", () => {
  const keyed = { apiKey: undefined, apiKeys: [{ value: "sk-revoked-0123456789" }, { value: "sk-good-0123456789" }] };
  const byKey: Reply = (seen, answer, incoming) => {
    const isRevoked = seen.headers.authorization?.includes("revoked") === true;
    return (isRevoked ? json(error("Incorrect API key provided: sk-revoked-0123456789"), 401) : json(completion("a")))(
      seen,
      answer,
      incoming,
    );
  };

  it("is set aside, the next one answers, and neither stands in what anybody reads", async () => {
    const set = await over([byKey], { providers: [keyed] });
    for (let i = 0; i < 40; i++) expect(await set.outcome({ messages: [{ role: "user", content: `conversation ${i}` }] })).toBe("a");
    const refused = set.vendors[0]!.seen.filter(({ headers }) => headers.authorization?.includes("revoked")).length;
    expect(refused).toBe(1);
    expect(set.lines.join()).not.toContain("0123456789");
  });

  it("that is the last one says whose fault it is, without the key", async () => {
    const set = await over([byKey], { providers: [{ apiKey: "sk-revoked-0123456789" }] });
    const outcome = (await set.outcome()) as GatewayError;
    expect(outcome).toMatchObject({ code: "upstream_credential", blame: "operator" });
    expect(JSON.stringify([outcome, outcome.message])).not.toContain("0123456789");
  });

  it("goes on with the other target when no key is left", async () => {
    const set = await over([byKey, json(completion("b"))], { providers: [{ apiKey: "sk-revoked-0123456789" }, {}] });
    for (let i = 0; i < 3; i++) expect(await set.outcome()).toBe("b");
    expect(set.hits()[0]).toBe(1);
  });
});

describe("a conversation's prompt cache", () => {
  const keyed = { apiKey: undefined, apiKeys: ["k1", "k2", "k3"].map((value) => ({ value })) };
  const keysOf = (seen: readonly { headers: { authorization?: string | undefined } }[]) => seen.map(({ headers }) => headers.authorization);

  // Case 3: reasoning that one organisation sealed is read by no other.
  it("is kept by the same key in each turn, streamed or not, and other conversations are spread", async () => {
    const answers: Reply = (seen, answer, incoming) =>
      (seen.json["stream"] === true ? streamed("a") : json(completion("a")))(seen, answer, incoming);
    const all = new Set<string | undefined>();
    for (let i = 0; i < 12; i++) {
      const set = await over([answers], { providers: [keyed] });
      const messages: object[] = [
        { role: "system", content: "Be brief." },
        { role: "user", content: `conversation ${i}` },
      ];
      for (let turn = 0; turn < 4; turn++) {
        await set.outcome({ messages: [...messages], stream: turn % 2 === 0, model: turn < 2 ? "route/r" : "a/m" });
        messages.push({ role: "assistant", content: "Yes." }, { role: "user", content: `more ${turn}` });
      }
      const used = new Set(keysOf(set.vendors[0]!.seen));
      expect(used.size).toBe(1);
      for (const key of used) all.add(key);
    }
    expect(all.size).toBe(3);
  });
});

describe("what was repeated here", () => {
  it("is not to be repeated by the caller's SDK", async () => {
    const set = await over([down, down]);
    expect(await set.outcome()).toMatchObject({ details: { retryable: false, attempts: 2 } });
  });

  it("may be repeated when it was asked once", async () => {
    const set = await over([down], { route: { retries: { max: 0 } } });
    expect(((await set.outcome()) as GatewayError).details).not.toHaveProperty("retryable");
  });
});

describe("a vendor that withholds its answer", () => {
  const withheld = completion("", {
    choices: [{ index: 0, message: { role: "assistant", content: null }, finish_reason: "content_filter" }],
  });
  const route = { fallbackOn: ["content-filter" as const] };

  it("is no answer where the route falls back on it", async () => {
    const set = await over([json(withheld), json(completion("b"))], { route });
    expect(await set.outcome()).toBe("b");
    expect(await (await over([json(withheld), json(completion("b"))])).outcome()).toBe("a");
  });

  it("has the last word when nobody does better: the answer is given as it was", async () => {
    const set = await over([json(withheld), json(withheld)], { route });
    const answer = await set.ask();
    expect(await read(answer)).toBe(withheld);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ "x-sallyport-provider": "b", "x-sallyport-attempts": "2" });
    expect((await set.ledgers()).audit).toEqual([expect.objectContaining({ outcome: "done", code: null })]);
  });
});

describe("a stream that breaks off after it began", () => {
  it("is not repeated, and counts against its target all the same", async () => {
    const broken: Reply = (_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.end(
        'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"be"},"finish_reason":null}]}\n\n',
      );
    };
    const set = await over([broken, streamed("b")]);
    for (let i = 0; i < 5; i++) {
      const text = await read(await set.ask({ stream: true }));
      expect(text).toContain('"error"');
    }
    expect(set.hits()).toEqual([5, 0]);
    expect(await set.outcome({ stream: true })).toBe("b");
  });
});
