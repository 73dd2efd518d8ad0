import { describe, expect, it } from "vitest";
import { TEST_OWNER_KEY, type TestGatewayOptions } from "../../../src/testing/index.js";
import { saying, served } from "../../safety/safety-harness.js";
import { newClient, oldClient } from "../questions/asked-clients.js";
import { ANSWERED, answers, ASKED, questions, script, upstreams } from "./word-servers.js";

const clients = { "a client up to 2025-11-25": oldClient, "a client since 2026-07-28": newClient };
const cells = Object.keys(upstreams).flatMap((upstream) => Object.keys(clients).map((client) => [upstream, client] as const));
const blocked = { code: -32000, data: { code: "content_blocked" } };
type Action = "block" | "mask" | "warn" | "log";
const words = (action: Action) => ({ w: { kind: "words", settings: { words: [ASKED, ANSWERED] }, action } }) as const;

async function place(upstream: string, client: string, guardrails: NonNullable<TestGatewayOptions["guardrails"]>) {
  const told = script();
  const to = await served({ model: saying({ text: "x" }), guardrails });
  await to.gateway.mcp.connect("asking", await upstreams[upstream]!(told));
  let answer: object = { action: "accept", content: { name: "Ada" } };
  const asked = await clients[client as keyof typeof clients](new URL(`${to.base}/mcp`), {
    bearer: TEST_OWNER_KEY,
    answer: () => Promise.resolve(answer),
  });
  const ask = (question: (typeof told)["question"], given: object) => {
    told.question = question;
    answer = given;
    told.seen.splice(0);
    asked.got.splice(0);
    return asked.call("asking__ask");
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
    expect((await ask({ method: "roots/list" }, { roots: [] })).isError ?? false).toBe(false);
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

  it("passes no picture by a guardrail that blocks and cannot see it (T21)", async () => {
    const { ask, asked } = await place(upstream, client, words("block"));
    const picture = { type: "image", data: "AAAA", mimeType: "image/png" };
    const question = { method: "sampling/createMessage", params: { maxTokens: 1, messages: [{ role: "user", content: picture }] } };
    await expect(ask(question, harmless(question.method))).rejects.toMatchObject({ data: { details: { type: "unseen" } } });
    expect(asked.got).toEqual([]);
  });
});
