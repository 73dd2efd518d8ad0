import {
  answering,
  chatDialect,
  inTurn,
  jsonAnswer,
  refusingEarly,
  refusingUpstream,
  silent,
  sse,
  transcript,
  type RawAnswer,
} from "@sallyport/adapter-kit";
import { createServer } from "node:tls";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { TEST_OWNER_KEY } from "@sallyport/core/testing";
import { faces, vendors, type Cell } from "./faces.js";
import { rawClient } from "./raw-client.js";
import { ask, askAll, cell, gatewayUnderTest, KEY, labOf, upstreamUntilEnd, type UnderTest } from "./harness.js";

// Attempts that fail before the caller got a byte: F44, F45, F46, F53, F58 (what one answer says; policies of repetition are held by the tests of routing), F62. A second target stands by.
// F56, F57 belong to the budgets' reservations, F59 to the retry budget.

const good = sse(transcript(chatDialect, ["from b"]));
const spare = { vendor: "openai-compatible", apiKey: "k" };

/** A route of `lab` and then `spare`, which is well. */
async function withSpare(url: string, o: { vendor?: Cell; timeouts?: object; answer?: RawAnswer } = {}) {
  const other = await upstreamUntilEnd(answering(o.answer ?? good));
  const set = await gatewayUnderTest({
    providers: { lab: labOf(url, o), spare: { ...spare, baseUrl: `${other.url}/v1` } } as never,
    routes: { r: { targets: [{ model: "lab/m" }, { model: "spare/m" }] } },
    ...(o.timeouts === undefined ? {} : { server: { timeouts: o.timeouts } }),
  });
  return { ...set, other };
}
async function expectSpare(set: UnderTest, face: Cell = "chat"): Promise<void> {
  const { status, read, headers } = await askAll(set, { face: faces[face], model: "route/r" });
  expect([status, read.text, read.error, read.isFinished]).toEqual([200, "from b", null, true]);
  expect(headers["x-sallyport-model"]).toBe("spare/m");
  const { usage, audit } = await set.rows(1);
  expect(usage).toEqual([expect.objectContaining({ provider: "spare", partial: false, inputTokens: 10, outputTokens: 5 })]);
  expect(audit).toEqual([expect.objectContaining({ outcome: "done" })]);
}
/** One row without tokens, failed. */
async function expectFailedRow(set: UnderTest, code: string): Promise<void> {
  const { usage, audit } = await set.rows(1);
  expect(usage).toEqual([expect.objectContaining({ inputTokens: null, outputTokens: null, costNanoUsd: null })]);
  expect(audit).toEqual([expect.objectContaining({ outcome: "failed", code })]);
}

/** Speaks TLS with a certificate that nobody vouches for. */
async function selfSigned(): Promise<string> {
  const server = createServer({ key: undefined, cert: undefined } as never).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => undefined);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("F44: a vendor that cannot be reached", () => {
  it.each([
    ["refuses the connection", () => refusingUpstream()],
    ["has a name that does not exist", () => Promise.resolve("http://no-such-host.invalid")],
    ["fails at TLS", () => selfSigned()],
    ["resets the connection", async () => (await upstreamUntilEnd((_request, wire) => wire.reset())).url],
    ["hangs up without a word", async () => (await upstreamUntilEnd((_request, wire) => wire.end())).url],
    [
      "answers in another protocol",
      async () => (await upstreamUntilEnd(async (_request, wire) => (await wire.write("SSH-2.0-x\r\n"), wire.end()))).url,
    ],
  ])("%s: the next one answers, and alone it is one typed error and one row without tokens", async (_how, url) => {
    await expectSpare(await withSpare(await url()));
    const alone = await gatewayUnderTest({ providers: { lab: labOf(await url()) } as never });
    const { status, body } = await askAll(alone);
    expect(status).toBeGreaterThanOrEqual(502);
    const { error } = JSON.parse(body) as { error: { code: string } };
    expect(error.code).toMatch(/^upstream_(?:unavailable|protocol|interrupted)$/);
    await expectFailedRow(alone, error.code);
  });
});

describe("F45: a vendor that never begins", () => {
  it("is left after the time for a first byte, and the next one answers", async () => {
    const upstream = await upstreamUntilEnd(silent);
    await expectSpare(await withSpare(upstream.url, { timeouts: { firstByteMs: 500 } }));
    await upstream.wires[0]!.closed;
  });
  it("and alone is a timeout, with one row", async () => {
    const set = await cell(silent, { config: { server: { timeouts: { firstByteMs: 100 } } } });
    expect((await askAll(set)).status).toBe(504);
    await expectFailedRow(set, "upstream_timeout");
  });
});

describe("F46: an error as the first event of a 200", () => {
  it.each(["chat", "messages", "google"] as const)(
    "of a vendor of %s is a failed attempt: the caller sees one clean stream",
    async (vendor) => {
      const dialect = vendors[vendor]();
      const upstream = await upstreamUntilEnd(answering(sse([dialect.errorFrame("overloaded"), ...dialect.end()])));
      for (const face of [vendor, "chat"] as const) await expectSpare(await withSpare(upstream.url, { vendor }), face);
    },
  );

  it("an empty 200 is one too", async () => {
    const upstream = await upstreamUntilEnd(answering(sse([])));
    await expectSpare(await withSpare(upstream.url));
  });
});

describe("F53: a caller that leaves before the vendor answers", () => {
  it.each([true, false])("ends the call there: the vendor is let go, one row, nobody waits (stream: %s)", async (stream) => {
    const set = await cell(silent);
    const client = ask(set, { stream });
    await set.upstream.arrivals(1);
    client.reset();
    await set.upstream.wires[0]!.closed;
    const { usage, audit } = await set.rows(1);
    expect(usage).toEqual([expect.objectContaining({ status: 499, inputTokens: null })]);
    expect(audit).toEqual([expect.objectContaining({ outcome: "aborted", code: "cancelled" })]);
  });
});

describe("F58: a 429", () => {
  it.each([
    ["seconds", { "retry-after": "7" }, "7"],
    ["a date", { "retry-after": new Date(Date.now() + 3_600_000).toUTCString() }, /^\d+$/],
    ["milliseconds", { "retry-after-ms": "1500" }, /^[12]$/],
    ["absurdly long", { "retry-after": "99999999999999" }, /^\d*$/],
    ["negative", { "retry-after": "-5" }, /^\d*$/],
    ["no number", { "retry-after": "soon" }, /^\d*$/],
    ["missing", {}, /^\d*$/],
  ])(
    "with a Retry-After that is %s is one typed error with a time that is none of these, and is not hammered",
    async (_case, headers, expected) => {
      const set = await cell(answering(jsonAnswer(chatDialect.errorBody("slow down"), { status: 429, headers })));
      const answer = await askAll(set);
      expect(answer.status).toBe(429);
      expect(answer.headers["retry-after"] ?? "").toMatch(expected);
      expect(set.upstream.arrived.length).toBeLessThanOrEqual(3);
      await expectFailedRow(set, "upstream_rate_limited");
    },
  );
});

describe("F60: a second target that lacks what the call needs", () => {
  it("is not asked: the caller hears of a failure, and nothing is left out in silence", async () => {
    const down = await upstreamUntilEnd(answering(jsonAnswer(vendors.messages().errorBody("down"), { status: 503 })));
    const set = await withSpare(down.url, { vendor: "messages" });
    const tools = [{ type: "web_search_20250305", name: "web_search" }];
    const body = { model: "route/r", max_tokens: 1_000, stream: true, tools, messages: [{ role: "user", content: "hello" }] };
    const answer = await rawClient({ port: set.port, path: "/v1/messages", body, key: TEST_OWNER_KEY }).answer();
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(set.other.arrived).toEqual([]);
    await expectFailedRow(set, expect.stringMatching(/^(?:unsupported_feature|upstream_unavailable)$/) as never);
  });
});

describe("F62: a key that the vendor revoked", () => {
  const refusal = (status: number) => answering(jsonAnswer(chatDialect.errorBody(`the key ${KEY} is not valid`), { status }));

  it.each([401, 403])("%d: the next key answers, and the bad one rests", async (status) => {
    const set = await cell(
      (request, wire) => (request.headers["authorization"] === `Bearer ${KEY}` ? refusal(status) : answering(good))(request, wire),
      { provider: { apiKey: undefined, apiKeys: [{ value: KEY, weight: 1_000_000 }, { value: "sk-good-0123456789" }] } },
    );
    for (let call = 1; call <= 5; call++) expect((await askAll(set)).read).toMatchObject({ text: "from b", isFinished: true });
    const bad = set.upstream.arrived.filter(({ headers }) => headers["authorization"] === `Bearer ${KEY}`);
    expect(bad.length).toBeLessThanOrEqual(1);
    expect((await set.rows(5)).usage).toHaveLength(5);
    expect(set.logged.join()).not.toContain(KEY);
  });

  it.each(Object.keys(vendors) as Cell[])("is in no error that a caller of %s sees, and none that is logged", async (face) => {
    for (const behaviour of [refusal(401), refusal(400), refusal(500), answering(sse([chatDialect.errorFrame(`key ${KEY}`)]))]) {
      const set = await cell(behaviour);
      for (const stream of [true, false]) {
        const { body, status, headers } = await askAll(set, { face: faces[face], stream });
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).not.toBe(401);
        expect(body + JSON.stringify(headers)).not.toContain(KEY);
      }
      expect(set.logged.join()).not.toContain(KEY);
    }
  });

  it("in the middle of a pool's life: revoked between two calls, the second goes on with the other", async () => {
    const set = await cell(inTurn(answering(good), refusal(401), answering(good)), {
      provider: { apiKey: undefined, apiKeys: [{ value: KEY }, { value: "sk-good-0123456789" }] },
    });
    for (let call = 1; call <= 2; call++) expect((await askAll(set)).read).toMatchObject({ text: "from b", isFinished: true });
  });
});

describe("F63: a refusal before the request was read", () => {
  it.each([400, 413, 429, 503])("%d is told as what it is", async (status) => {
    const set = await cell(refusingEarly(jsonAnswer(chatDialect.errorBody("no"), { status, headers: { connection: "close" } })));
    const { status: told } = await askAll(set, { text: "x".repeat(1_000_000) });
    expect(told).toBe(status === 503 ? 502 : status);
    const { audit } = await set.rows(1);
    expect(audit).toEqual([expect.objectContaining({ code: expect.stringMatching(/^upstream_/) })]);
  });
});
