import { describe, expect, it } from "vitest";
import { lies, type Lie } from "@sallyport/adapter-kit";
import { hosted, post } from "../proxy-harness.js";
import { liedTo, type Transport } from "./lied-to.js";

const transports: readonly Transport[] = ["http", "stdio"];
const MAX = 1_000_000;
const small = { limits: { maxMessageBytes: MAX }, stdio: { maxMessageBytes: MAX } };

/** Whatever was lied: the next call gets its own answer, the server beside was never affected, and nothing broke inside. */
async function stillWell({ call, liar, harness }: Awaited<ReturnType<typeof liedTo>>): Promise<void> {
  liar.lie = () => false;
  await expect.poll(() => call("liar__ok").catch(() => "not yet")).toBe("fine");
  expect(await call("honest__ok")).toBe("fine");
  expect(harness.problems).toEqual([]);
}

describe.each(transports)("a server over %s", (transport) => {
  it("that dies after its effect leaves the outcome unknown, and the effect is done once (F66, F67)", async () => {
    const lied = await liedTo(transport, { lie: lies.dyingAfterEffect });
    lied.liar.lie = (asked, say) => {
      if (asked.method === "tools/call") return lies.dyingAfterEffect(asked, say);
      return false;
    };
    await expect(lied.call("liar__effect", { key: "a" })).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(lied.liar.count("tools/call")).toBe(1);
    await stillWell(lied);
    expect(lied.liar.asked.filter(({ params }) => params["name"] === "effect")).toHaveLength(1);
  });

  it("that answers twice is heard once", async () => {
    const lied = await liedTo(transport, { lie: lies.answeringTwice });
    expect(await lied.call("liar__ok")).toBe("first");
    await stillWell(lied);
  });

  it("that answers questions nobody asked gives nobody an answer (T16)", async () => {
    const lied = await liedTo(transport, { lie: lies.answeringOthers });
    const beside = Array.from({ length: 10 }, (_, i) => lied.call("honest__effect", { key: `k${i}` }));
    await expect(lied.call("liar__ok", {}, 400)).rejects.toMatchObject({
      code: expect.stringMatching(/^(outcome_unknown|upstream_timeout|upstream_protocol)$/) as unknown,
    });
    expect(await Promise.all(beside)).toEqual(Array.from({ length: 10 }, (_, i) => `done k${i}`));
    await stillWell(lied);
  });

  it("that sends keys of prototypes changes no object, and they arrive as they were (T43)", async () => {
    const lied = await liedTo(transport, { lie: lies.pollutingKeys });
    const decoded = await lied.harness.proxy.call("liar__ok");
    expect(Object.getPrototypeOf(decoded.raw)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    const host = await hosted(lied.harness);
    const answer = await post(host.url, { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "liar__ok" } });
    expect(answer.text).toContain('"__proto__":{"polluted":true}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    await stillWell(lied);
  });

  it("that says too much is cut off, and says why (F69)", async () => {
    const lied = await liedTo(transport, { lie: lies.sayingMuch(3 * MAX), harness: small });
    await expect(lied.call("liar__ok")).rejects.toMatchObject({
      code: "upstream_protocol",
      message: expect.stringContaining(`larger than ${MAX} bytes`) as unknown,
    });
    await stillWell(lied);
  });

  it("that nests without end is refused, and breaks nothing", async () => {
    const lied = await liedTo(transport, { lie: lies.nestingDeep(200_000), harness: { timeoutMs: 500 } });
    const host = await hosted(lied.harness);
    const answer = await post(host.url, { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "liar__ok" } });
    expect(answer.json()).toMatchObject({
      id: 1,
      error: { data: { code: expect.stringMatching(/^(upstream_protocol|upstream_timeout)$/) as unknown } },
    });
    await stillWell(lied);
  });

  it("that breaks off in the middle of its JSON is no answer", async () => {
    const lied = await liedTo(transport, { lie: lies.sayingHalf });
    await expect(lied.call("liar__ok", {}, 400)).rejects.toMatchObject({
      code: expect.stringMatching(/^(outcome_unknown|upstream_timeout|upstream_protocol)$/) as unknown,
    });
    await stillWell(lied);
  });

  it("that never answers is left at the deadline, and told", async () => {
    const lied = await liedTo(transport, { lie: lies.neverComing });
    await expect(lied.call("liar__ok", {}, 200)).rejects.toMatchObject({ code: "upstream_timeout" });
    await expect.poll(() => lied.liar.count("notifications/cancelled")).toBe(1);
    await stillWell(lied);
  });

  it("that tells of progress for others tells nobody, and its answer counts", async () => {
    const lied = await liedTo(transport, { lie: lies.wrongProgress });
    const heard: unknown[] = [];
    await lied.harness.proxy.call("liar__ok", {}, { onProgress: (event) => void heard.push(event) });
    // Its own two before the answer.
    expect(heard).toHaveLength(2);
    await stillWell(lied);
  });

  it("that asks whatever comes to its mind is answered, and answers", async () => {
    const lied = await liedTo(transport, { lie: lies.asking });
    expect(await lied.call("liar__ok")).toBe("fine");
    await expect.poll(() => lied.liar.asked.filter(({ method }) => method === "").length).toBe(6);
    // Nobody is there who could be asked: the gateway says so, and makes no answer up.
    for (const { text } of lied.liar.asked.filter(({ method }) => method === ""))
      expect(text).toMatch(/"error"|"action":"(cancel|decline)"/);
    await stillWell(lied);
  });
});

describe("a server over http", () => {
  it("that gives each of two callers the other's answer gives it to neither (T16)", async () => {
    const lied = await liedTo("http", { lie: lies.swappingAnswers() });
    const outcomes = await Promise.allSettled(["a", "b"].map((key) => lied.call("liar__ok", { key })));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "upstream_protocol" });
    await stillWell(lied);
  });

  it("that drips is left at the deadline, and hears that nobody listens any more", async () => {
    const lied = await liedTo("http");
    let gone = false;
    lied.liar.lie = (asked, say) => {
      if (asked.method === "tools/call") void say.gone.then(() => (gone = true));
      return lies.dripping(5)(asked, say);
    };
    await expect(lied.call("liar__ok", {}, 300)).rejects.toMatchObject({ code: "upstream_timeout" });
    await expect.poll(() => gone).toBe(true);
    await stillWell(lied);
  });

  it("whose event does not end is read up to the limit", async () => {
    let taken = 0;
    const lied = await liedTo("http", { lie: lies.endlessEvent((bytes) => (taken = bytes)), harness: small });
    await expect(lied.call("liar__ok")).rejects.toMatchObject({
      code: expect.stringMatching(/^(upstream_protocol|outcome_unknown)$/) as unknown,
    });
    // What waits in the buffers of two sockets is taken too.
    expect(taken).toBeLessThan(20 * MAX);
    await stillWell(lied);
  });

  it("plants no header: neither with who calls, nor in what is sent to it (T14, T20)", async () => {
    const lied = await liedTo("http", { lie: lies.injectingHeaders });
    const host = await hosted(lied.harness);
    const answer = await post(host.url, { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "liar__ok" } });
    expect(answer.json()).toMatchObject({ result: { content: [{ text: "fine" }] } });
    expect(JSON.stringify([...answer.headers])).not.toContain("planted");
    await stillWell(lied);
    expect(lied.liar.asked.some(({ headers }) => JSON.stringify(headers).includes("planted"))).toBe(false);
  });

  it("that loses every session is greeted anew once a call, not for ever", async () => {
    const forgetful: Lie = (asked, say) => {
      if (asked.method === "initialize") {
        const body = JSON.stringify({
          jsonrpc: "2.0",
          id: asked.id,
          result: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "lying", version: "1" } },
        });
        return void say.instead(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: s${asked.nth}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        );
      }
      return lies.losingSessions(asked, say);
    };
    const lied = await liedTo("http", { lie: forgetful });
    const before = lied.liar.count("initialize");
    await expect(lied.call("liar__ok")).rejects.toMatchObject({ code: expect.stringMatching(/^(upstream_|outcome_unknown)/) as unknown });
    expect(lied.liar.count("initialize") - before).toBeLessThanOrEqual(3);
    expect(await lied.call("honest__ok")).toBe("fine");
  });

  it("that sends us elsewhere is not followed (T13)", async () => {
    const lied = await liedTo("http");
    lied.liar.lie = lies.redirecting(lied.honest.url);
    const before = lied.honest.asked.length;
    await expect(lied.call("liar__ok")).rejects.toMatchObject({ code: expect.stringMatching(/^upstream_/) as unknown });
    expect(lied.honest.asked.length).toBe(before);
    await stillWell(lied);
  });

  it.each(["2099-01-01", "", "1.0", null])(
    "that agrees on a revision nobody knows (%j) is not connected, and the one beside it is (F78)",
    async (protocolVersion) => {
      const lied = await liedTo("http", {
        lie: (asked, say) => {
          if (asked.method !== "initialize") return false;
          return void say.send(
            JSON.stringify({
              jsonrpc: "2.0",
              id: asked.id,
              result: { protocolVersion, capabilities: {}, serverInfo: { name: "x", version: "1" } },
            }),
          );
        },
      });
      expect(lied.harness.proxy.status().find(({ name }) => name === "liar")).toMatchObject({ connected: false });
      await expect(lied.call("liar__ok")).rejects.toMatchObject({ code: expect.stringMatching(/^upstream_/) as unknown });
      expect(await lied.call("honest__ok")).toBe("fine");
    },
  );
});
