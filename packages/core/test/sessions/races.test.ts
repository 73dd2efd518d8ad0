import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import type { Cache } from "../../src/ports/index.js";
import { processOn, scriptedModels, type Process } from "../scripted-seams.js";
import { sharedPorts, storeKinds, wrapped, type SharedPorts } from "../shared-ports.js";

const ada: Caller = { kind: "key", id: "key_ada", name: "Ada", projects: ["default"], grants: ["*"] };
const open: { process: Process; on: SharedPorts }[] = [];
afterEach(async () => {
  for (const { process, on } of open.splice(0)) {
    const closing = Promise.all([process.engine.close({ graceMs: 0 }), process.domain.close()]);
    await on.clock.advance(1000);
    await closing;
  }
});
function processOf(on: SharedPorts, nodeId: string): Process {
  const process = processOn(on, { models: scriptedModels(() => ["yes"]), leaseMs: 3000, nodeId });
  open.push({ process, on });
  return process;
}
const many = (count: number) => Array.from({ length: count }, (_, i) => ({ role: "user" as const, content: `m${i + 1}` }));

describe.each(storeKinds)("sessions of two processes on %s", (kind) => {
  it("lose no pin that one sets while the other appends a rule", async () => {
    const on = await sharedPorts(kind);
    let between: (() => Promise<unknown>) | null = null;
    const store = wrapped(on.store, async (verb, call) => {
      const first = between;
      if (verb === "commit" && first !== null) {
        between = null;
        await first();
      }
      return call();
    });
    const [slow, quick] = [processOf({ ...on, store }, "a").domain.of(ada), processOf(on, "b").domain.of(ada)];
    const { id } = await slow.create();
    await slow.append(id, many(3));
    for (const ifLast of [undefined, 4]) {
      between = () => quick.update(id, { pinned: ifLast === undefined ? [2] : [1, 4] });
      await slow.append(id, [{ role: "system", content: "Be kind." }], { ifLast });
      expect(between).toBeNull();
      expect((await quick.get(id))?.pinned).toEqual(ifLast === undefined ? [2, 4] : [1, 4, 5]);
    }
    between = () => quick.append(id, "in between");
    await expect(slow.append(id, [{ role: "system", content: "Late." }], { ifLast: 5 })).rejects.toMatchObject({ code: "conflict" });
  });

  it("are exported whole, or the export fails", async () => {
    const on = await sharedPorts(kind);
    const [a, b] = [processOf(on, "a").domain.of(ada), processOf(on, "b").domain.of(ada)];
    for (const format of ["json", "markdown"] as const) {
      const { id } = await a.create();
      await a.append(id, many(700));
      const pieces = await a.export(id, { format });
      await pieces.next(); // the head
      await pieces.next(); // the first page
      await b.delete(id);
      await expect(pieces.next()).rejects.toMatchObject({ code: "not_found" });
    }
  });

  it("leave nothing in the cache when one is deleted while the other reads it", async () => {
    const on = await sharedPorts(kind);
    const deleter = processOf(on, "b").domain.of(ada);
    const { id } = await deleter.create();
    await deleter.append(id, many(5));
    let sets = 0;
    const cache: Cache = {
      get: (...asked) => on.cache.get(...asked),
      add: (...asked) => on.cache.add(...asked),
      remove: (...asked) => on.cache.remove(...asked),
      set: async (...asked) => {
        if (sets++ === 0) await deleter.delete(id);
        return on.cache.set(...asked);
      },
    };
    const run = processOf({ ...on, cache }, "a").engine.run({ model: "m", session: id, input: "and?" }, ada);
    const ended = run.then(
      () => "done",
      () => "failed",
    );
    await on.clock.advance(500);
    await ended;
    expect(sets).toBe(1);
    expect(await on.cache.get(`session:${id}`, { deadlineMs: on.clock.now() + 1000 })).toBeNull();
  });
});
