import { describe, expect, it } from "vitest";
import { TEST_OWNER_KEY, type TestGatewayOptions } from "../../../src/testing/index.js";
import { saying, served } from "../../safety/safety-harness.js";
import { modern, post } from "../proxy-harness.js";
import { everything, newClient, oldClient } from "../questions/asked-clients.js";
import { parked, rawCall } from "../questions/raw-calls.js";
import { rawServer } from "../servers/raw-http.js";
import { ANSWERED, answers, ASKED, questions, script, upstreams, words } from "./word-servers.js";

const clients = { "a client up to 2025-11-25": oldClient, "a client since 2026-07-28": newClient };
const cells = Object.keys(upstreams).flatMap((upstream) => Object.keys(clients).map((client) => [upstream, client] as const));
const blocked = { code: -32000, data: { code: "content_blocked" } };

async function place(upstream: string, client: string, guardrails: NonNullable<TestGatewayOptions["guardrails"]> = {}) {
  const told = script();
  const to = await served({ model: saying({ text: "x" }), guardrails });
  await to.gateway.mcp.connect("asking", await upstreams[upstream]!(told));
  let answer: object | Error = { action: "accept", content: { name: "Ada" } };
  const asked = await clients[client as keyof typeof clients](new URL(`${to.base}/mcp`), {
    bearer: TEST_OWNER_KEY,
    answer: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
  });
  const ask = (question: (typeof told)["question"], given: object, how: "tool" | "prompt" = "tool") => {
    told.question = question;
    answer = given;
    told.seen.splice(0);
    asked.got.splice(0);
    return how === "tool" ? asked.call("asking__ask") : asked.getPrompt({ name: "asking__ask" });
  };
  return { ...to, told, asked, ask };
}
const answerTo = (method: string) => Object.values(answers).find(([{ method: of }]) => of === method)![1];
const harmless = (method: string) => JSON.parse(JSON.stringify(answerTo(method)).replaceAll(ANSWERED, "fine")) as object;

describe.each(cells)("%s behind the guardrails of %s", (upstream, client) => {
  it("asks nothing that is blocked: the call ends", async () => {
    const { ask, asked, told, detections } = await place(upstream, client, words("block"));
    for (const [where, question] of Object.entries(questions)) {
      await expect(ask(question, harmless(question.method)), where).rejects.toMatchObject(blocked);
      expect([where, asked.got, told.seen]).toEqual([where, [], []]);
    }
    for (const { stage, action, server, tool } of await detections(Object.keys(questions).length))
      expect([stage, action, server, tool]).toEqual(["results", "block", "asking", "ask"]);
  });

  it("is answered nothing that is blocked", async () => {
    const { ask, asked, told, detections } = await place(upstream, client, words("block"));
    for (const [where, [question, answer]] of Object.entries(answers)) {
      await expect(ask(question, answer), where).rejects.toMatchObject(blocked);
      expect([where, asked.got.length, told.seen]).toEqual([where, 1, []]);
    }
    for (const { stage } of await detections(Object.keys(answers).length)) expect(stage).toBe("arguments");
    // What nobody objects to goes on.
    await ask({ method: "roots/list" }, { roots: [] });
    expect(told.seen).toEqual([{ roots: [] }]);
  });

  it("asks and is answered with what was found masked, and all else as it was", async () => {
    const { ask, asked, told } = await place(upstream, client, words("mask"));
    for (const [where, question] of Object.entries(questions)) {
      await ask(question, harmless(question.method));
      const got = JSON.stringify(asked.got);
      expect([where, got.includes(ASKED), got.includes("[removed]")]).toEqual([where, false, true]);
      // Since 2026-07-28 an errand has no id.
      const said = JSON.stringify(question).replace(',"elicitationId":"e"', "");
      expect(JSON.parse(got.replaceAll("[removed]", ASKED))).toMatchObject([JSON.parse(said)]);
    }
    for (const [where, [question, answer]] of Object.entries(answers)) {
      await ask(question, answer);
      expect([where, told.seen.length]).toEqual([where, 1]);
      expect(told.seen[0]).toEqual(JSON.parse(JSON.stringify(answer).replaceAll(ANSWERED, "[removed]")));
    }
  });

  it.each(["warn", "log"] as const)("asks and is answered as it was said where guardrails only %s", async (action) => {
    const { ask, asked, told, detections } = await place(upstream, client, words(action));
    const [question, answer] = [questions["a model's prompt"]!, answers["what a model said"]![1]];
    await ask(question, answer);
    expect(asked.got).toMatchObject([question]);
    expect(told.seen).toEqual([answer]);
    const found = (await detections(2)).map(({ stage, action: done }) => [stage, done]);
    expect(found.sort()).toEqual([
      ["arguments", action],
      ["results", action],
    ]);
  });

  it("is looked at by the guardrails of one stage in that alone", async () => {
    const results = await place(upstream, client, { w: { ...words("block").w, stages: ["results"] } });
    const [question, answer] = answers["what a model said"]!;
    await results.ask(question, answer);
    expect(results.told.seen).toEqual([answer]);
    const args = await place(upstream, client, { w: { ...words("block").w, stages: ["arguments"] } });
    await args.ask(questions["a model's prompt"]!, harmless("sampling/createMessage"));
    expect(args.asked.got).toMatchObject([questions["a model's prompt"]]);
  });

  it("asks and is answered in the course of prompts as well", async () => {
    const [question, answer] = answers["what a model said"]!;
    const blocking = await place(upstream, client, words("block"));
    await expect(blocking.ask(questions["a model's prompt"]!, harmless(question.method), "prompt")).rejects.toMatchObject(blocked);
    await expect(blocking.ask(question, answer, "prompt")).rejects.toMatchObject(blocked);
    expect([blocking.asked.got.length, blocking.told.seen]).toEqual([1, []]);
    const masking = await place(upstream, client, words("mask"));
    await masking.ask(questions["a model's prompt"]!, answer, "prompt");
    expect(JSON.stringify([masking.asked.got, masking.told.seen])).toMatch(/a \[removed\].*a \[removed\]/);
  });

  it("gives judges a question's words as words, and forms as the JSON that they are", async () => {
    const { ask, gateway } = await place(upstream, client);
    const judged: unknown[] = [];
    gateway.guardrails.add({
      name: "judge",
      check: (text, { stage, tool }) => {
        judged.push([stage, tool, text]);
        return null;
      },
    });
    const form = questions["the message of a form"]!;
    await ask(form, { action: "accept", content: { name: "Ada" } });
    const schema = JSON.stringify((form.params as { requestedSchema: object }).requestedSchema);
    expect(judged).toEqual(
      expect.arrayContaining([
        ["results", "ask", `a ${ASKED}`],
        ["results", "ask", schema],
        ["arguments", "ask", '{"name":"Ada"}'],
      ]),
    );
  });

  it("passes no picture by a guardrail that blocks and cannot see it (T21)", async () => {
    const { ask, asked } = await place(upstream, client, words("block"));
    const picture = { type: "image", data: "AAAA", mimeType: "image/png" };
    const question = { method: "sampling/createMessage", params: { maxTokens: 1, messages: [{ role: "user", content: picture }] } };
    await expect(ask(question, harmless(question.method))).rejects.toMatchObject({ data: { details: { type: "unseen" } } });
    expect(asked.got).toEqual([]);
  });
});

describe("a client up to 2025-11-25", () => {
  it.each(Object.keys(upstreams))("says nothing to %s by an error that guardrails would not let it say", async (upstream) => {
    const [old] = Object.keys(clients);
    const { ask, told } = await place(upstream, old!, words("mask"));
    await ask(questions["what is nobody's"]!, new Error(`no ${ANSWERED}`)).catch(() => undefined);
    expect(JSON.stringify([told.seen, told.refused])).not.toContain(ANSWERED);
  });
});

describe("a client since 2026-07-28 at a server up to 2025-11-25", () => {
  const [upstream, client] = cells.find(([server, of]) => server.includes("up to") && of.includes("since"))!;

  it("is not asked a second question that is blocked: the call ends at its server", async () => {
    const { ask, asked, told } = await place(upstream, client, words("block"));
    told.then = questions["a model's prompt"]!;
    await expect(ask({ method: "roots/list" }, { roots: [] })).rejects.toMatchObject(blocked);
    expect([asked.got.length, told.seen[0]]).toEqual([1, { roots: [] }]);
    await expect.poll(() => told.cancelled, { timeout: 30_000 }).toEqual(["ask"]);
  });

  it("may answer otherwise when its answer is blocked", async () => {
    const { base, told } = await place(upstream, client, words("block"));
    told.question = answers["the field of a form"]![0];
    const url = new URL(`${base}/mcp`);
    const bearer = TEST_OWNER_KEY;
    const { state, key } = await parked(url, { name: "asking__ask", bearer });
    const come = (given: object) => rawCall(url, { name: "asking__ask", bearer, state, responses: { [key]: given } });
    expect((await come(answers["the field of a form"]![1])).error?.data.code).toBe("content_blocked");
    expect((await come({ action: "decline" })).result?.resultType).toBe("complete");
    expect(told.seen).toEqual([{ action: "decline" }]);
  });
});

describe("a question of a server since 2026-07-28, as it stands on the wire", () => {
  const roots = '{"method":"roots/list","params":{"b":12345678901234567890,"a":1.0}}';
  async function raw(guardrails: NonNullable<TestGatewayOptions["guardrails"]>) {
    const server = await rawServer("modern", [{ name: "ask", inputSchema: { type: "object" } }]);
    const to = await served({ model: saying({ text: "x" }), guardrails });
    await to.gateway.mcp.connect("asking", { url: server.url });
    const ask = async (requests: string, more = "") => {
      server.result = `{"resultType":"input_required","inputRequests":{${requests}},"requestState":"s"${more}}`;
      const { message, headers } = modern("tools/call", {
        ...{ name: "asking__ask", arguments: {} },
        _meta: { "io.modelcontextprotocol/clientCapabilities": everything },
      });
      return (await post(new URL(`${to.base}/mcp`), message, { ...headers, authorization: `Bearer ${TEST_OWNER_KEY}` })).text;
    };
    return ask;
  }

  it.each([
    ["where there are no guardrails", {}],
    ["where they find nothing", words("mask")],
  ])("passes as it came %s, numbers and the order of keys included", async (_where, guardrails) => {
    const ask = await raw(guardrails);
    expect(await ask(`"q":${roots}`)).toContain(`"inputRequests":{"q":${roots}}`);
  });

  it.each(["null", "[]", '"x"', "7"])("is none where its server says %s", async (requests) => {
    const server = await rawServer("modern", [{ name: "ask", inputSchema: { type: "object" } }]);
    const to = await served({ model: saying({ text: "x" }), guardrails: words("mask") });
    await to.gateway.mcp.connect("asking", { url: server.url });
    server.result = `{"resultType":"input_required","inputRequests":${requests},"requestState":"s"}`;
    const { message, headers } = modern("tools/call", { name: "asking__ask", arguments: {} });
    const { text } = await post(new URL(`${to.base}/mcp`), message, { ...headers, authorization: `Bearer ${TEST_OWNER_KEY}` });
    expect([text.includes('"resultType":"input_required"'), text.includes("inputRequests"), text.includes('"error"')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("is not held against names that the protocol, or this gateway, gave it", async () => {
    const ask = await raw({ w: { kind: "words", settings: { words: ["asked", "method", "params", "inputRequests", "requestState"] } } });
    expect(await ask(`"q":${roots}`)).toContain(`"inputRequests":{"q":${roots}}`);
  });

  it.each(["block", "mask"] as const)("has no words in its key, beside it, or twice where one is looked at: %s", async (action) => {
    const ask = await raw(words(action));
    const keyed = await ask(`"${ASKED}":${roots}`);
    expect([keyed.includes(ASKED), keyed.includes("content_blocked")]).toEqual([false, true]);
    const twice = '{"method":"roots/list","params":{"_meta":{"x/y":"TWICE","x/y":"fine"}}}'.replace("TWICE", ASKED);
    expect(await ask(`"q":${twice}`)).not.toContain(ASKED);
    expect(await ask(`"q":{"method":"roots/list","x":"${ASKED}"}`)).not.toContain(ASKED);
    expect(await ask(`"q":${roots}`, `,"_meta":{"x/y":"${ASKED}"}`)).not.toContain(ASKED);
  });
});
