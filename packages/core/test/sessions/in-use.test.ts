import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { session } from "../../src/entities/index.js";
import { processOn, scriptedModels, type Process } from "../scripted-seams.js";
import { gate, sharedPorts, storeKinds, type SharedPorts } from "../shared-ports.js";

const ada: Caller = { kind: "key", id: "key_ada", name: "Ada", projects: ["default"], grants: ["*"] };
const open: { process: Process; on: SharedPorts }[] = [];
afterEach(async () => {
  for (const { process, on } of open.splice(0)) {
    const closing = Promise.all([process.engine.close({ graceMs: 0 }), process.domain.close()]);
    await on.clock.advance(1000);
    await closing;
  }
});

describe.each(storeKinds)("sessions in use on %s", (kind) => {
  it("one whose turn a run has is not taken away, however long the run takes; one whose run has ended is", async () => {
    const on = await sharedPorts(kind);
    const waits = gate();
    const process = processOn(on, {
      ...{ models: scriptedModels([["slow answer", { wait: waits.passed }]]), leaseMs: 3_000 },
      sessions: { ttlSeconds: 60 },
    });
    open.push({ process, on });
    const sessions = process.domain.of(ada);
    const { id } = await sessions.create({ title: "busy" });
    const idle = await sessions.create({ title: "idle" });
    const run = process.engine.run({ model: "m", session: id, input: "take your time" }, ada);
    for (let passed = 0; passed < 130_000; passed += 1_000) await on.clock.advance(1_000);
    expect(await process.domain.sweep()).toBe(1);
    expect(await sessions.get(idle.id)).toBeNull();
    waits.open();
    expect((await run).text).toBe("slow answer");
    expect(await sessions.get(id)).toMatchObject({ messageCount: 2, turnId: null });
    for (let passed = 0; passed < 65_000; passed += 1_000) await on.clock.advance(1_000);
    expect(await process.domain.sweep()).toBe(1);
    const { rows } = await on.store.find(
      session,
      { orderBy: "id", limit: 10 },
      { system: "test" },
      { deadlineMs: on.clock.now() + 60_000 },
    );
    expect(rows).toEqual([]);
  });
});
