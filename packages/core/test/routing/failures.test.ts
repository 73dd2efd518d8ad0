import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { HttpAnswer } from "../../src/calls/index.js";
import {
  chat,
  closeAll,
  completion,
  DONE,
  frames,
  happening,
  json,
  options,
  owner,
  read,
  routing,
  streamed,
  upstream,
  type Reply,
} from "./harness.js";

afterEach(closeAll);

const lab = (base: string, rest: object = {}) => ({ vendor: "openai-compatible" as const, baseUrl: base, apiKey: "sk-lab", ...rest });
async function one(reply: Reply, rest: object = {}, config = {}) {
  const vendor = await upstream(reply);
  return { vendor, ...routing({ providers: { lab: lab(vendor.base, rest) }, config }) };
}
const error = (message: string, rest: object = {}) => JSON.stringify({ error: { message, type: "x", param: null, code: null, ...rest } });
const timeouts = (rest: object) => ({ server: { timeouts: rest } });

describe("a vendor's refusal", () => {
  it("keeps its message when the request was at fault", async () => {
    const { models } = await one(json(error("'temperature' must be at most 2"), 400));
    await expect(models.relay(chat({ model: "lab/m" }), options())).rejects.toMatchObject({
      code: "upstream_rejected",
      message: expect.stringContaining("'temperature' must be at most 2"),
      details: { provider: "lab", model: "m" },
    });
  });

  it.each([
    [401, "upstream_credential"],
    [403, "upstream_credential"],
    [429, "upstream_rate_limited"],
    [500, "upstream_unavailable"],
    [503, "upstream_unavailable"],
  ])("of %d is %s for the caller, streamed or not, and costs one row", async (status, code) => {
    const set = await one(json(error("no"), status));
    for (const stream of [false, true])
      await expect(set.models.relay(chat({ model: "lab/m", stream }), options())).rejects.toMatchObject({
        code,
        details: { provider: "lab" },
      });
    const { usage, audit } = await set.ledgers();
    expect(usage).toHaveLength(2);
    expect(usage[0]).toMatchObject({ provider: "lab", inputTokens: null, costNanoUsd: null });
    expect(audit[0]).toMatchObject({ outcome: "failed", code });
  });

  it("that is no JSON is still told by its status", async () => {
    const { models } = await one(
      (_seen, answer) => void answer.writeHead(502, { "content-type": "text/html" }).end("<html>bad gateway</html>"),
    );
    await expect(models.relay(chat({ model: "lab/m" }), options())).rejects.toMatchObject({ code: "upstream_unavailable" });
  });

  it("tells when to come back", async () => {
    const { models } = await one(json(error("slow down"), 429, { "retry-after": "7" }));
    await expect(models.relay(chat({ model: "lab/m" }), options())).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  it("never shows the key, even when the vendor repeats it", async () => {
    const { models, lines } = await one(json(error("the key sk-lab is not enough for this"), 400));
    const failed = await models.relay(chat({ model: "lab/m" }), options()).catch((thrown: Error) => thrown);
    expect(JSON.stringify([failed, (failed as Error).message])).not.toContain("sk-lab");
    expect(lines.join()).not.toContain("sk-lab");
  });

  it("by a redirect is not followed, and says what to mend", async () => {
    const elsewhere = await upstream(json(completion("stolen")));
    const { models } = await one((_seen, answer) => void answer.writeHead(307, { location: `${elsewhere.base}/chat/completions` }).end());
    await expect(models.relay(chat({ model: "lab/m" }), options())).rejects.toMatchObject({
      code: "misconfigured",
      hint: expect.stringContaining("providers.lab.baseUrl"),
    });
    expect(elsewhere.seen).toEqual([]);
  });

  it("that has no end is not waited for past its first bytes", async () => {
    const hungUp = happening();
    const { models } = await one((_seen, answer, incoming) => {
      incoming.socket.on("close", () => hungUp.resolve());
      answer.writeHead(500, { "content-type": "text/plain" });
      const feed = (): void => {
        while (answer.write("x".repeat(10_000)));
        answer.once("drain", feed);
      };
      feed();
    });
    await expect(models.relay(chat({ model: "lab/m" }), options())).rejects.toMatchObject({ code: "upstream_unavailable" });
    await hungUp.promise;
  });
});

describe("a vendor that cannot be reached", () => {
  it("is named, with what to look at", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const { port } = server.address() as { port: number };
    await new Promise((closed) => server.close(closed));
    const { models } = routing({ providers: { lab: lab(`http://127.0.0.1:${port}/v1`) } });
    await expect(models.relay(chat({ model: "lab/m" }), options())).rejects.toMatchObject({
      code: "upstream_unavailable",
      message: expect.stringMatching(/^lab: .*ECONNREFUSED/),
      hint: expect.stringContaining("runs"),
      details: { provider: "lab", model: "m", cause: "ECONNREFUSED" },
    });
  });

  it("or does not begin to stream in time is a timeout", async () => {
    const { models } = await one(() => undefined, {}, timeouts({ firstByteMs: 40 }));
    await expect(models.relay(chat({ model: "lab/m", stream: true }), options())).rejects.toMatchObject({ code: "upstream_timeout" });
  });

  it("has until the call's own deadline for a whole answer, which begins when it is complete", async () => {
    const { models } = await one(
      (seen, answer) => void setTimeout(() => void json(completion("late"))(seen, answer, null as never), 150),
      {},
      timeouts({ firstByteMs: 20 }),
    );
    expect(await read(await models.relay(chat({ model: "lab/m" }), options()))).toContain("late");
    const hasty = options({ deadlineMs: Date.now() + 20 });
    await expect(models.relay(chat({ model: "lab/m" }), hasty)).rejects.toMatchObject({ code: "upstream_timeout" });
  });
});

const OPAQUE = "Zm9v0bar1Opaque";
/** A vendor that agrees with 200, gives `before`, and then an error that repeats the credential it was given; it goes on as if nothing had been. */
const refusing =
  (before: readonly string[]): Reply =>
  (seen, answer) => {
    const given = seen.headers.authorization ?? "";
    const body = error(`overloaded ${given} ${given.slice("Bearer ".length)}`, { key: given, param: given.slice("Bearer ".length) });
    if (seen.json["stream"] !== true) return void answer.writeHead(200, { "content-type": "application/json" }).end(body);
    answer.writeHead(200, { "content-type": "text/event-stream" });
    answer.write(before.join(""));
    answer.end(`data: ${body}\n\n${frames("late").join("")}${DONE}`);
  };

describe("an answer that breaks", () => {
  it.each([
    ["is no JSON", "nonsense"],
    ["is half a JSON", completion("x").slice(0, 40)],
    ["is an array", "[]"],
    ["is empty", ""],
  ])("because it %s is the vendor's fault", async (_case, body) => {
    const { models } = await one(json(body));
    await expect(models.relay(chat({ model: "lab/m" }), options())).rejects.toMatchObject({ code: "upstream_protocol" });
  });

  it("before it is whole is interrupted, and nothing of it is given", async () => {
    const { models } = await one((_seen, answer) => {
      answer.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      answer.write("{", () => answer.socket?.destroy());
    });
    await expect(models.relay(chat({ model: "lab/m" }), options())).rejects.toMatchObject({ code: "upstream_interrupted" });
  });

  const cut: Record<string, Reply> = {
    "with a reset": (_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.write(frames("be", "gun").slice(0, 3).join(""), () => setImmediate(() => answer.socket?.resetAndDestroy()));
    },
    "without its terminator": (_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" }).end(frames("be", "gun").slice(0, 3).join(""));
    },
    "with silence": (_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.write(frames("be", "gun").slice(0, 3).join(""));
    },
  };
  it.each(Object.keys(cut))("in the middle of a stream %s ends in an error frame, without [DONE], and is not tried again", async (how) => {
    const set = await one(cut[how]!, {}, timeouts({ idleMs: 60 }));
    const text = await read(await set.models.relay(chat({ model: "lab/m", stream: true }), options()));
    const last = text.trimEnd().split("\n\n").at(-1)!;
    expect(JSON.parse(last.replace(/^data: /, ""))).toMatchObject({ error: { message: expect.any(String) } });
    expect(text).not.toContain("[DONE]");
    expect(set.vendor.seen.length).toBe(1);
    const { usage, audit } = await set.ledgers();
    expect(usage).toEqual([expect.objectContaining({ partial: true, provider: "lab", inputTokens: null })]);
    expect(audit).toEqual([
      expect.objectContaining({
        outcome: "failed",
        code: how === "with silence" ? "upstream_timeout" : "upstream_interrupted",
        status: 200,
      }),
    ]);
  });

  it("by the vendor's own words ends in an error frame of ours, without the key and all that follows", async () => {
    const set = await one(refusing(frames("be", "gun").slice(0, 3)), { apiKey: OPAQUE });
    const text = await read(await set.models.relay(chat({ model: "lab/m", stream: true }), options()));
    const given = frames("be", "gun").slice(0, 3).join("");
    expect(text.startsWith(given)).toBe(true);
    expect(text.slice(given.length).trimEnd().split("\n\n")).toEqual([expect.stringContaining('"code":"upstream_unavailable"')]);
    expect(text).not.toMatch(new RegExp(`${OPAQUE}|\\[DONE\\]|late`));
    const { usage, audit } = await set.ledgers();
    expect(usage).toEqual([expect.objectContaining({ partial: true, provider: "lab" })]);
    expect(audit).toEqual([expect.objectContaining({ outcome: "failed", code: "upstream_unavailable", status: 200 })]);
    expect(set.lines.join()).not.toContain(OPAQUE);
  });

  it.each([true, false])("before it began, in a 200 with the vendor's error, is a failed attempt (stream: %s)", async (stream) => {
    const set = await one(refusing([]), { apiKey: OPAQUE });
    const failed = await set.models.relay(chat({ model: "lab/m", stream }), options()).catch((thrown: Error) => thrown);
    expect(failed).toMatchObject({ code: "upstream_unavailable", details: { provider: "lab", model: "m" } });
    expect(JSON.stringify([failed, (failed as Error).message])).not.toContain(OPAQUE);
    expect((await set.ledgers()).audit).toEqual([
      expect.objectContaining({ outcome: "failed", code: "upstream_unavailable", status: 502 }),
    ]);
  });

  it("before any frame of a stream came is thrown, not streamed", async () => {
    const { models } = await one((_seen, answer) => void answer.writeHead(200, { "content-type": "text/event-stream" }).end());
    await expect(models.relay(chat({ model: "lab/m", stream: true }), options())).rejects.toMatchObject({ code: "upstream_interrupted" });
  });

  it("by going on past the call's deadline ends in an error frame too", async () => {
    const set = await one((_seen, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      const drip = setInterval(() => answer.write(frames("drip")[1]!), 5);
      answer.on("close", () => clearInterval(drip));
    });
    const answer = await set.models.relay(chat({ model: "lab/m", stream: true }), options({ deadlineMs: Date.now() + 800 }));
    expect(await read(answer)).toContain('"error"');
    expect((await set.ledgers()).audit).toEqual([expect.objectContaining({ outcome: "failed", code: "deadline_exceeded" })]);
  });
});

describe("a caller that goes away", () => {
  async function held(stream: boolean) {
    const events: string[] = [];
    const arrived = happening();
    const hungUp = happening();
    const set = await one((_seen, answer, incoming) => {
      incoming.socket.on("close", () => {
        events.push("upstream closed");
        hungUp.resolve();
      });
      if (stream) {
        answer.writeHead(200, { "content-type": "text/event-stream" });
        answer.write(frames("begun").slice(0, 2).join(""));
      }
      arrived.resolve();
    });
    return { ...set, events, arrived: arrived.promise, hungUp: hungUp.promise };
  }
  async function begin(answer: HttpAnswer) {
    if (answer.body.kind !== "frames") throw new Error("It is no stream.");
    const reading = answer.body.frames[Symbol.asyncIterator]();
    await reading.next();
    return reading;
  }

  it("before the answer stops the call upstream at once", async () => {
    const set = await held(false);
    const controller = new AbortController();
    const call = set.models.relay(chat({ model: "lab/m" }), options({ signal: controller.signal }));
    await set.arrived;
    controller.abort();
    set.events.push("caller gone");
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    await set.hungUp;
    expect(set.events).toEqual(["caller gone", "upstream closed"]);
    const { usage, audit } = await set.ledgers();
    expect(usage).toEqual([expect.objectContaining({ status: 499 })]);
    expect(audit).toEqual([expect.objectContaining({ outcome: "aborted", code: "cancelled" })]);
  });

  it("in the middle of a stream stops the call upstream at once, and leaves one partial row", async () => {
    const set = await held(true);
    const controller = new AbortController();
    const answer = await set.models.relay(chat({ model: "lab/m", stream: true }), options({ signal: controller.signal }));
    const reading = await begin(answer);
    controller.abort();
    set.events.push("caller gone");
    await reading.return?.();
    answer.done("left");
    await set.hungUp;
    expect(set.events).toEqual(["caller gone", "upstream closed"]);
    const { usage, audit } = await set.ledgers();
    expect(usage).toEqual([expect.objectContaining({ partial: true, provider: "lab" })]);
    expect(audit).toEqual([expect.objectContaining({ outcome: "aborted", code: "cancelled" })]);
  });

  it("by leaving the iteration alone stops the call upstream as well", async () => {
    const set = await held(true);
    const answer = await set.models.relay(chat({ model: "lab/m", stream: true }), options());
    const reading = await begin(answer);
    await reading.return?.();
    answer.done("left");
    await set.hungUp;
  });

  it("while a read is pending does not wait for the silent upstream", async () => {
    const set = await held(true);
    const controller = new AbortController();
    const answer = await set.models.relay(chat({ model: "lab/m", stream: true }), options({ signal: controller.signal }));
    const reading = await begin(answer);
    const pending = reading.next();
    controller.abort();
    await pending;
    await set.hungUp;
    answer.done("left");
  });

  it("before the call was sent is not heard of upstream", async () => {
    const set = await held(false);
    await expect(set.models.relay(chat({ model: "lab/m" }), options({ signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(set.vendor.seen).toEqual([]);
    expect((await set.ledgers()).usage).toHaveLength(1);
  });
});

describe("keys and targets", () => {
  it("a refused key is put aside and the next one tried, before the caller learns of anything", async () => {
    const set = await one(
      (seen, answer, incoming) =>
        void (seen.headers.authorization === "Bearer good" ? streamed("ok") : json(error("bad key"), 401))(seen, answer, incoming),
      { apiKey: undefined, apiKeys: [{ value: "bad" }, { value: "good" }] },
    );
    for (let i = 0; i < 10; i++)
      expect(await read(await set.models.relay(chat({ model: "lab/m", stream: true }), options()))).toContain("ok");
    expect(set.vendor.seen.filter((seen) => seen.headers.authorization === "Bearer bad").length).toBeLessThanOrEqual(1);
    expect((await set.ledgers()).usage).toHaveLength(10);
  });

  async function pair(first: Reply, second: Reply, strategy: "fallback" | "weighted" = "fallback") {
    const [a, b] = [await upstream(first), await upstream(second)];
    const targets = [{ model: "a/m" }, { model: "b/m", weight: 3 }];
    const set = routing({
      providers: { a: lab(a.base), b: lab(b.base, { models: [{ id: "m", prices: { input: "1", output: "1", cacheRead: "1" } }] }) },
      config: { routes: { r: { strategy, targets, sticky: "none" } } },
      random: () => 0.9,
    });
    return { ...set, a, b };
  }

  it.each([500, 503, 429, 401])("a route goes on to its next target after %d", async (status) => {
    const set = await pair(json(error("no"), status), json(completion("from b")));
    const answer = await set.models.relay(chat({ model: "route/r" }), options());
    expect(await read(answer)).toContain("from b");
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "x-sallyport-model": "b/m",
      "x-sallyport-attempts": "2",
      "x-sallyport-provider": "b",
    });
    const { usage, audit } = await set.ledgers();
    expect(usage).toEqual([expect.objectContaining({ name: "route/r", provider: "b", model: "m", costNanoUsd: 15_000 })]);
    expect(audit).toEqual([expect.objectContaining({ outcome: "done", target: "route/r" })]);
  });

  it("a route does not go on when the request is at fault", async () => {
    const set = await pair(json(error("bad"), 400), json(completion("from b")));
    await expect(set.models.relay(chat({ model: "route/r" }), options())).rejects.toMatchObject({ code: "upstream_rejected" });
    expect(set.b.seen).toEqual([]);
  });

  it("a route goes on when the first answer is no answer, as long as nothing of it was given", async () => {
    const set = await pair(json("nonsense"), json(completion("from b")));
    expect(await read(await set.models.relay(chat({ model: "route/r" }), options()))).toContain("from b");
  });

  it.each([true, false])("a route goes on when a 200 brings the vendor's error first (stream: %s)", async (stream) => {
    const set = await pair(refusing([]), (seen, answer, incoming) =>
      (stream ? streamed("from b") : json(completion("from b")))(seen, answer, incoming),
    );
    const answer = await set.models.relay(chat({ model: "route/r", stream }), options());
    expect(Object.fromEntries(answer.headers)).toMatchObject({ "x-sallyport-model": "b/m", "x-sallyport-attempts": "2" });
    const text = await read(answer);
    expect(text).toContain("from b");
    expect(text).not.toContain("error");
    expect((await set.ledgers()).audit).toEqual([expect.objectContaining({ outcome: "done" })]);
  });

  it("a route does not go on once bytes were given", async () => {
    const set = await pair(
      (_seen, answer) => void answer.writeHead(200, { "content-type": "text/event-stream" }).end(frames("be")[0]),
      streamed("b"),
    );
    const text = await read(await set.models.relay(chat({ model: "route/r", stream: true }), options()));
    expect(text).toContain('"error"');
    expect(set.b.seen).toEqual([]);
  });

  it("a weighted route sends most to the heavier", async () => {
    const set = await pair(json(completion("a")), json(completion("b")), "weighted");
    expect(await read(await set.models.relay(chat({ model: "route/r" }), options()))).toContain('"content":"b"');
  });

  it("when all fail, the last failure is told", async () => {
    const set = await pair(json(error("a"), 500), json(error("b"), 429));
    await expect(set.models.relay(chat({ model: "route/r" }), options())).rejects.toMatchObject({
      code: "upstream_rate_limited",
      details: { provider: "b" },
    });
  });
});

describe("a call that goes nowhere", () => {
  it("for want of a model is told so, and still audited", async () => {
    const set = await one(json(completion("x")), { models: ["m"] });
    await expect(set.models.relay(chat({ model: "lba/m" }), options())).rejects.toMatchObject({
      code: "model_not_found",
      hint: "Did you mean lab/m?",
    });
    expect((await set.ledgers()).audit).toEqual([
      expect.objectContaining({ target: "lba/m", outcome: "failed", code: "model_not_found", status: 404 }),
    ]);
  });

  it("for want of a grant is forbidden, by the full name, and learns nothing of what there is", async () => {
    const set = await one(json(completion("x")), { models: ["m"] });
    const caller = { ...owner, kind: "key" as const, grants: ["models:lab/*"] };
    expect(await read(await set.models.relay(chat({ model: "m" }), options({ caller })))).toContain("x");
    for (const model of ["demo/echo", "nothing"])
      await expect(set.models.relay(chat({ model }), options({ caller }))).rejects.toMatchObject({ code: "forbidden" });
    expect(set.vendor.seen.length).toBe(1);
  });

  it("for want of a key says which variable to set", async () => {
    const { models } = routing({ providers: { openai: {} } });
    await expect(models.relay(chat({ model: "openai/gpt-5.5" }), options())).rejects.toMatchObject({
      code: "misconfigured",
      hint: expect.stringContaining("OPENAI_API_KEY"),
    });
  });

  it("for want of a protocol says which", async () => {
    const { models } = routing({ providers: { anthropic: { apiKey: "k" } } });
    await expect(models.relay(chat({ model: "anthropic/claude-sonnet-5" }), options())).rejects.toMatchObject({
      code: "unsupported_feature",
      details: { provider: "anthropic", protocol: "anthropic-messages" },
    });
  });

  it("because it leads back to itself is stopped", async () => {
    const { models } = routing();
    await expect(models.relay(chat({ model: "demo/echo" }), options({ depth: 9 }))).rejects.toMatchObject({ code: "limit_reached" });
    expect(await read(await models.relay(chat({ model: "demo/echo" }), options({ depth: 8 })))).toContain("hello");
  });

  it("because it is not understood costs nothing upstream", async () => {
    const set = await one(json(completion("x")));
    for (const text of ["{", "[]", "null", "", '{"messages":[]}', '{"model":5}'])
      await expect(set.models.relay({ protocol: "openai-chat", bytes: new TextEncoder().encode(text) }, options())).rejects.toMatchObject({
        code: expect.stringMatching(/^(invalid_json|validation_failed)$/),
      });
    expect(set.vendor.seen).toEqual([]);
  });

  it("leaves nothing behind in the ledgers' error channel", async () => {
    const set = await one(json(completion("x")));
    await set.models.relay(chat({ model: "lab/" + "x".repeat(5000) }), options()).catch(() => undefined);
    await set.models.relay(chat({ model: "lab/ž\n" }), options()).then(read);
    await set.ledgers();
    expect(set.internalErrors).toEqual([]);
  });
});

it("a vendor's stream that is whole ends with [DONE]", async () => {
  const { models } = await one(streamed("ok"));
  expect(await read(await models.relay(chat({ model: "lab/m", stream: true }), options()))).toMatch(
    new RegExp(`${DONE.replace(/[[\]]/g, "\\$&")}$`),
  );
});
