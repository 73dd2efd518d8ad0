import { beforeEach, describe, expect, it } from "vitest";
import { parkedCall } from "../../../src/entities/index.js";
import { hosted, proxyHarness } from "../proxy-harness.js";
import { newHttpStory } from "../servers/http-story.js";
import { answers } from "./asked-clients.js";
import { newAsking, oldAsking } from "./asking-servers.js";
import { parked, rawCall } from "./raw-calls.js";

const begun: string[] = [];
const cancelled: string[] = [];
beforeEach(() => [begun, cancelled].forEach((list) => list.splice(0)));

async function place(questions: { waitMs?: number; mostWaiting?: number } = {}) {
  const harness = proxyHarness({ config: { mcp: { questions }, namespaces: { one: { servers: ["asking"] } } } });
  await harness.proxy.connect("asking", { server: () => oldAsking({ begun, cancelled }) });
  const host = await hosted(harness);
  const rows = async () =>
    (await harness.store.find(parkedCall, { orderBy: "id", limit: 100 }, { system: "a test" }, { deadlineMs: Date.now() + 5_000 })).rows;
  return { harness, host, url: host.url, rows };
}
const given = (key: string) => ({ [key]: answers.form });

describe("a call that waits for its client", () => {
  it("goes on where it was: its tool runs once, and its row goes", async () => {
    const { url, rows } = await place();
    const { state, key } = await parked(url);
    expect(await rows()).toMatchObject([{ kind: "call", server: "asking", state: "asked", round: 1, callerId: "owner" }]);
    const done = await rawCall(url, { state, responses: given(key), id: 2 });
    expect(JSON.parse(done.result!.content![0]!.text)).toEqual(answers.form);
    expect(begun).toEqual(["form"]);
    expect(await rows()).toEqual([]);
  });

  it("asks again for what it was not told, under a new state", async () => {
    const { url } = await place();
    const first = await parked(url);
    const again = await rawCall(url, { state: first.state, responses: { other: answers.form } });
    expect(again.result).toMatchObject({ resultType: "input_required", inputRequests: { [first.key]: { method: "elicitation/create" } } });
    expect(again.result!.requestState).not.toBe(first.state);
    const done = await rawCall(url, { state: again.result!.requestState!, responses: given(first.key) });
    expect(done.result?.resultType).toBe("complete");
  });

  it("gives no state that another caller, another call or another address could use, nor one that was changed (T45, T16)", async () => {
    const { url, host } = await place();
    const { state, key } = await parked(url, { bearer: "ada", args: { n: 1 } });
    const responses = given(key);
    const other = state.startsWith("A") ? "B" : "A";
    const tries = [
      rawCall(url, { bearer: "eve", args: { n: 1 }, state, responses }),
      rawCall(url, { bearer: "ada", args: { n: 2 }, state, responses }),
      rawCall(url, { bearer: "ada", args: { n: 1 }, name: "asking__url", state, responses }),
      rawCall(host.namespace("one"), { bearer: "ada", args: { n: 1 }, state, responses }),
      rawCall(url, { bearer: "ada", args: { n: 1 }, state: other + state.slice(1), responses }),
      rawCall(url, { bearer: "ada", args: { n: 1 }, state: "", responses }),
    ];
    for (const refused of await Promise.all(tries)) expect(refused.error?.code).toBe(-32602);
    expect(begun).toEqual(["form"]);
    // Its own caller still can.
    expect((await rawCall(url, { bearer: "ada", args: { n: 1 }, state, responses })).result?.resultType).toBe("complete");
  });

  it("takes an answer once: of many at the same time one goes on, and none later (T45)", async () => {
    const { url } = await place();
    const { state, key } = await parked(url);
    const all = await Promise.all(Array.from({ length: 8 }, (_, id) => rawCall(url, { state, responses: given(key), id })));
    expect(all.filter(({ result }) => result?.resultType === "complete")).toHaveLength(1);
    expect(all.filter(({ error }) => error !== undefined)).toHaveLength(7);
    const late = await rawCall(url, { state, responses: given(key) });
    expect(late.error?.data.code).toMatch(/validation_failed|outcome_unknown/);
    expect(begun).toEqual(["form"]);
  });

  it("is cancelled at its server when nobody comes for it in time, and its state is nothing then", async () => {
    const { url, rows } = await place({ waitMs: 1_000 });
    const { state, key } = await parked(url);
    await expect.poll(() => cancelled, { timeout: 30_000 }).toEqual(["form"]);
    await expect.poll(rows, { timeout: 30_000 }).toEqual([]);
    expect((await rawCall(url, { state, responses: given(key) })).error).toBeDefined();
  });

  it("is not one of too many of one caller's", async () => {
    const { url } = await place({ mostWaiting: 2 });
    for (const n of [1, 2]) await parked(url, { args: { n } });
    const refused = await rawCall(url);
    expect(refused.error).toMatchObject({ code: -32000, data: { code: "overloaded" } });
    await expect.poll(() => cancelled).toEqual(["form"]);
  });

  it("asks nothing that its client did not declare: the call ends, and says what was missing", async () => {
    const { url } = await place();
    const none = await rawCall(url, { capabilities: {} });
    expect([none.status, none.error?.code, none.error?.data.requiredCapabilities]).toEqual([400, -32021, { elicitation: { form: {} } }]);
    const forms = { elicitation: {} };
    const url2 = await rawCall(url, { capabilities: forms, name: "asking__url" });
    expect([url2.status, url2.error?.code, url2.error?.data.requiredCapabilities]).toEqual([400, -32021, { elicitation: { url: {} } }]);
    expect((await rawCall(url, { capabilities: forms })).result?.resultType).toBe("input_required");
    await expect.poll(() => cancelled).toEqual(["form", "url"]);
  });

  it("goes on without roots, which servers ask for at any time, when its client declared none", async () => {
    const { url } = await place();
    const { result, error } = await rawCall(url, { capabilities: {}, name: "asking__roots" });
    expect([error, result?.resultType, result?.content?.[0]?.text]).toEqual([
      undefined,
      "complete",
      expect.stringMatching(/refused: .*-32601.*declared no capability for roots\/list/),
    ]);
    expect(cancelled).toEqual([]);
  });
});

describe("a server of 2026-07-28 behind a client of 2026-07-28", () => {
  it("gets its own state back from ours, which is its caller's alone (T45)", async () => {
    const harness = proxyHarness();
    await harness.proxy.connect("asking", { url: (await newHttpStory("reject", newAsking)).url });
    const { url } = await hosted(harness);
    const { state, key } = await parked(url, { bearer: "ada" });
    expect([key, state.includes("state of")]).toEqual(["it", false]);
    expect((await rawCall(url, { bearer: "eve", state, responses: { it: answers.form } })).error?.code).toBe(-32602);
    expect((await rawCall(url, { bearer: "ada", state: "state of form", responses: { it: answers.form } })).error?.code).toBe(-32602);
    const done = await rawCall(url, { bearer: "ada", state, responses: { it: answers.form } });
    expect(JSON.parse(done.result!.content![0]!.text)).toEqual(answers.form);
    // It is told what this client can be asked, and asks nothing else.
    const none = await rawCall(url, { capabilities: { roots: {} } });
    expect([none.status, none.error?.code]).toEqual([400, -32021]);
  });
});
