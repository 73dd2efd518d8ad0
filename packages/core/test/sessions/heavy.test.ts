import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import type { StoredMessage } from "../../src/sessions/index.js";
import { processOn, scriptedModels, type Process } from "../scripted-seams.js";
import { sharedPorts, storeKinds, wrapped, type SharedPorts } from "../shared-ports.js";

const ada: Caller = { kind: "key", id: "key_ada", name: "Ada", projects: ["default"], grants: ["*"] };
const LARGE = 300_000;
const COUNT = 40;
const open: { process: Process; on: SharedPorts }[] = [];
afterEach(async () => {
  for (const { process, on } of open.splice(0)) {
    const closing = Promise.all([process.engine.close({ graceMs: 0 }), process.domain.close()]);
    await on.clock.advance(1000);
    await closing;
  }
});

describe.each(storeKinds)("sessions of large messages on %s", (kind) => {
  it("are read, copied, exported and continued a few megabytes at a time", async () => {
    const on = await sharedPorts(kind);
    // In characters, which are bytes here; and in messages, so that it is not one at a time.
    let largest = 0;
    let most = 0;
    const counting = wrapped(on.store, async (verb, call) => {
      const result = await call();
      if (verb === "read") {
        most = Math.max(most, (result as unknown[]).length);
        largest = Math.max(largest, JSON.stringify(result).length);
      }
      return result;
    });
    const process = processOn({ ...on, store: counting }, { models: scriptedModels(() => ["yes"]), leaseMs: 3_000 });
    open.push({ process, on });
    const sessions = process.domain.of(ada);
    const { id } = await sessions.create();
    for (let i = 1; i <= COUNT; i += 8)
      await sessions.append(
        id,
        Array.from({ length: 8 }, (_, k) => ({ role: "user" as const, content: `${i + k} ${"x".repeat(LARGE)}` })),
      );
    const numbers = (messages: readonly StoredMessage[]): number[] => messages.map(({ seq }) => seq);
    const all = Array.from({ length: COUNT }, (_, i) => i + 1);

    const pages: number[][] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page: Awaited<ReturnType<typeof sessions.messages>> = await sessions.messages(id, { after, limit: 1_000 });
      pages.push(numbers(page.messages));
      after = page.next;
    }
    expect(pages.flat()).toEqual(all);
    const newest = numbers((await sessions.messages(id, { limit: 100, last: true })).messages);
    expect(newest.length).toBeGreaterThan(10);
    expect(newest).toEqual(all.slice(-newest.length));
    expect(numbers((await sessions.messages(id, { limit: 3, last: true })).messages)).toEqual(all.slice(-3));

    const branch = await sessions.branch(id);
    expect(branch).toMatchObject({ messageCount: COUNT, lastSeq: COUNT, status: "active" });
    let exported = 0;
    for await (const piece of await sessions.export(branch.id)) exported += piece.split('{"seq":').length - 1;
    expect(exported).toBe(COUNT);
    const run = process.engine.run({ model: "m", session: id, input: "and now?" }, ada);
    await on.clock.advance(200);
    expect((await run).text).toBe("yes");
    expect(largest).toBeLessThan(9_000_000);
    expect(most).toBeGreaterThan(10);
  });
});
