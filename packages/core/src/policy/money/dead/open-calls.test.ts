import { describe, expect, it } from "vitest";
import type { CallHead } from "../../../calls/index.js";
import { openCalls } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { memoryStore } from "../../../memory/index.js";
import type { RecordStore, Unit } from "../../../ports/index.js";
import { EventHub } from "../../../seams/index.js";
import { FakeClock } from "../../../testing/fake-clock.js";
import type { OpenCall } from "../../step.js";
import { OpenCalls } from "./open-calls.js";

function setting() {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const commits: Unit[][] = [];
  let isAway = false;
  const watched = new Proxy(store, {
    get: (target, name) => {
      if (name !== "commit") return (target[name as "find"] as () => unknown).bind(target);
      return async (units: Unit[], w: never) => {
        if (isAway) throw new GatewayError("store_unavailable", "It is away.");
        commits.push(units);
        return target.commit(units, w);
      };
    },
  }) as RecordStore;
  const open = new OpenCalls({ store: watched, clock, events: new EventHub(), nodeId: "node_1", leaseMs: 60_000, waitMs: 20 });
  const begin = (id: string) => {
    let held: () => void | Promise<void> = () => undefined;
    const call = { id, requestId: id, runId: null, purpose: null, startedAtMs: clock.now() };
    const head = { kind: "model", operation: "generate", name: "v/m" };
    const caller = { kind: "key", id: "k", projects: ["default"] };
    const holdAnswer = (until: typeof held): void => void (held = until);
    void open.step().enter?.({ ...call, head, caller, holdAnswer } as unknown as OpenCall<CallHead>);
    return () => held();
  };
  const rows = async () =>
    (await store.find(openCalls, { orderBy: "id", limit: 100 }, { system: "test" }, { deadlineMs: Infinity })).rows.map(({ calls }) =>
      calls.map(({ id }) => id),
    );
  return { clock, open, begin, rows, commits, away: (is: boolean) => (isAway = is) };
}

describe("calls under way", () => {
  it("are written together, when the first of their answers is ready", async () => {
    const { begin, rows, commits } = setting();
    const answers = ["a", "b", "c"].map(begin);
    expect(await rows()).toEqual([]);
    await answers[1]!();
    expect(await rows()).toEqual([["a", "b", "c"]]);
    // The others wait for nothing any more.
    expect([answers[0]!(), answers[2]!()]).toEqual([undefined, undefined]);
    expect(commits).toHaveLength(1);
  });

  it("are written after a while when no answer is", async () => {
    const { begin, rows, clock } = setting();
    begin("slow");
    await clock.advance(19);
    expect(await rows()).toEqual([]);
    await clock.advance(1);
    expect(await rows()).toEqual([["slow"]]);
  });

  it("leave nothing when they are over: no row for one that never was written, none once the last of a row has its own", async () => {
    const { begin, rows, open, clock } = setting();
    begin("quick");
    expect(open.over("quick")).toBeNull();
    await clock.advance(50);
    expect(await rows()).toEqual([]);
    const answers = ["a", "b"].map(begin);
    for (const answer of answers) await answer();
    open.over("a")!();
    await open.renew();
    expect(await rows()).toEqual([["a", "b"]]);
    open.over("b")!();
    await open.renew();
    expect(await rows()).toEqual([]);
    expect(open.has("a")).toBe(false);
  });

  it("keep no answer back while the store is away, and are written again when it is there", async () => {
    const { begin, rows, away } = setting();
    away(true);
    await begin("first")();
    expect(begin("second")()).toBeUndefined();
    away(false);
    void begin("third")();
    await expect.poll(rows).toEqual([["third"]]);
    expect(begin("fourth")()).toBeInstanceOf(Promise);
  });
});
