import { lyingMcpServer } from "@sallyport/adapter-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ServerResilienceInput } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { hosted, post, proxyHarness } from "./proxy-harness.js";
import { listedServer, tool } from "./servers/listed-server.js";

const text = (said: string) => ({ content: [{ type: "text", text: said }] });
const message = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });

/** A server whose calls are answered when the test says so. */
function slow() {
  const waiting: (() => void)[] = [];
  const server = listedServer([tool("look", { annotations: { readOnlyHint: true } }), tool("write")], {
    answer: (name) => new Promise((resolve) => waiting.push(() => resolve(text(name)))),
  });
  return { ...server, waiting };
}

describe("a server's own word that a tool is read-only (F66)", () => {
  it.each([
    [true, 1],
    [false, 2],
  ])("trusted: %s, two equal calls at once are %d at the server", async (trustAnnotations, sent) => {
    const harness = proxyHarness();
    const upstream = slow();
    // Tools that the operator named himself are read-only either way.
    await harness.proxy.connect("s", { server: upstream.server, resilience: { coalesce: true, trustAnnotations, readOnly: ["none"] } });
    const calls = [
      harness.proxy.call("s__look"),
      harness.proxy.call("s__look"),
      harness.proxy.call("s__write"),
      harness.proxy.call("s__write"),
    ];
    await expect.poll(() => upstream.waiting.length).toBe(sent + 2);
    for (const answer of upstream.waiting) answer();
    expect((await Promise.all(calls)).map(({ raw }) => raw)).toEqual([text("look"), text("look"), text("write"), text("write")]);
    // Each of them was a call of its caller's.
    expect(harness.ended).toHaveLength(4);
  });
});

it("bounds how many calls are at a server, over MCP too, and says so in its status", async () => {
  const harness = proxyHarness();
  const upstream = slow();
  await harness.proxy.connect("s", { server: upstream.server, resilience: { maxConcurrent: 1, maxQueued: 1 } });
  const host = await hosted(harness);
  const call = () => post(host.url, message("tools/call", { name: "s__write", arguments: {} }));
  const first = call();
  await expect.poll(() => upstream.waiting.length).toBe(1);
  const second = call();
  const status = () => harness.proxy.status().find(({ name }) => name === "s");
  await expect.poll(() => status()?.queued).toBe(1);
  expect(status()).toMatchObject({ breaker: "closed", inFlight: 1, queued: 1 });
  expect((await call()).json()).toMatchObject({ error: { data: { code: "overloaded" } } });
  upstream.waiting[0]!();
  await expect.poll(() => upstream.waiting.length).toBe(2);
  upstream.waiting[1]!();
  expect((await Promise.all([first, second])).map(({ status: code }) => code)).toEqual([200, 200]);
});

it("one server of twenty that never answers, and one that is down, keep nobody's list past its time (F72)", async () => {
  const hung = { server: () => ({ connect: () => new Promise<void>(() => undefined) }) };
  const down = { server: () => Promise.reject(new Error("down")) };
  const harness = proxyHarness({ limits: { startMs: 200, connectMs: 60_000 } });
  const started = Array.from({ length: 18 }, (_, i) => harness.proxy.connect(`s${i}`, { server: listedServer([tool("t")]).server }));
  void harness.proxy.connect("hung", hung as never).catch(() => undefined);
  void harness.proxy.connect("down", down as never).catch(() => undefined);
  await Promise.all(started);
  const host = await hosted(harness, {});
  const listed = (await post(host.url, message("tools/list"))).json()["result"] as { tools: { name: string }[] };
  const names = new Set(listed.tools.map(({ name }) => name.split("__")[0]));
  expect([...names].filter((name) => name!.startsWith("s"))).toHaveLength(18);
  expect(
    harness.proxy
      .status()
      .filter(({ connected }) => !connected)
      .map(({ name }) => name),
  ).toEqual(["down", "hung"]);
});

it("refuses settings that would do nothing", async () => {
  const { proxy } = proxyHarness();
  const server = listedServer([]).server;
  await expect(proxy.connect("s", { server, resilience: { coalesce: true } })).rejects.toMatchObject({ code: "validation_failed" });
  await expect(proxy.connect("s", { server, resilience: { hedgeAfterMs: 5 } })).rejects.toMatchObject({ code: "validation_failed" });
});

describe("a server that does something and then says that it is busy (F66)", () => {
  const refused = (status: number, more = ""): string => `HTTP/1.1 ${status} Busy\r\n${more}content-length: 0\r\nconnection: close\r\n\r\n`;

  /** How often its tool did something, and what two calls with one key came to. */
  async function busy(answer: string, resilience: ServerResilienceInput) {
    let effects = 0;
    const liar = await lyingMcpServer({
      era: "modern",
      lie: ({ method }, say) => {
        if (method !== "tools/call") return false;
        effects++;
        return void say.instead(answer);
      },
    });
    onTestFinished(() => liar.close());
    const { proxy } = proxyHarness();
    await proxy.connect("s", { url: liar.url, resilience: { breaker: false, ...resilience } });
    const call = () =>
      proxy.call("s__effect", {}, { idempotencyKey: "k" }).then(
        () => "done",
        (error: unknown) => GatewayError.from(error).code,
      );
    return { first: await call(), effects, again: await call(), all: effects };
  }

  it("is not called again, nor by a repetition with the same key, when nobody vouches for the tool", async () => {
    for (const resilience of [{ retries: 2 }, { retries: 2, readOnly: ["ok"] }, { retries: 2, idempotent: ["other_*"] }])
      expect(await busy(refused(503), resilience)).toEqual({ first: "outcome_unknown", effects: 1, again: "outcome_unknown", all: 1 });
    expect(await busy(refused(429), { retries: 2 })).toEqual({
      ...{ first: "upstream_rate_limited", effects: 1, again: "outcome_unknown", all: 1 },
    });
  });

  it("is called again when its operator says that the tool may be, or when it says that a limit was reached and for how long", async () => {
    for (const status of [503, 429]) {
      const { effects, again } = await busy(refused(status), { retries: 1, idempotent: ["effect"] });
      expect([effects, again]).toEqual([2, status === 503 ? "upstream_unavailable" : "upstream_rate_limited"]);
    }
    const limited = await busy(refused(429, "retry-after: 0\r\n"), { retries: 1 });
    expect(limited).toMatchObject({ first: "upstream_rate_limited", effects: 2, again: "upstream_rate_limited" });
  });
});
