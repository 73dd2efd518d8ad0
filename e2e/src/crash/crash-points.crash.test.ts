import { afterEach, describe, expect, it } from "vitest";
import { Farm } from "./farm/farm.js";
import { onMariadb, onSqlite } from "./farm/every-place.js";
import { healsWithinMs } from "./farm/healed.js";
import type { CrashPoint } from "./worker/worker-options.js";

let farm: Farm;
afterEach(() => farm.close());

const points: readonly (CrashPoint & { readonly name: string })[] = [
  { name: "F01: claim.beforeCommit", at: "take", moment: "before", nth: 1 },
  { name: "F02: task.afterClaim", at: "take", moment: "after", nth: 1 },
  { name: "F02: task.beforeEffect", at: "effect", moment: "before", nth: 3 },
  { name: "F03: task.afterEffect", at: "effect", moment: "after", nth: 3 },
  { name: "F03: task.beforeCommit", at: "succeeded", moment: "before", nth: 1 },
  { name: "F04: task.afterCommit", at: "succeeded", moment: "after", nth: 1 },
  { name: "task.afterRenewal", at: "renewal", moment: "after", nth: 1 },
];

describe.each([onSqlite, ...onMariadb])("a worker that dies at a point, on $name", ({ open }) => {
  it.each(points)("$name: it is begun again with the same key, and ends once", async ({ name: _name, ...dies }) => {
    farm = await Farm.start(await open());
    for (let i = 0; i < 12; i++) await farm.producer.create();
    const dead = farm.worker({ name: "dead", dies });
    expect(await dead.ended).toMatchObject({ signal: "SIGKILL", errors: "" });
    await farm.worker({ name: "other" }).said("ready");
    farm.recoveries.over(`${dies.moment} ${dies.at}`, { outageFromMs: 0 });
    await farm.settled();
    const recorded = await farm.recorded();
    expect(await farm.faults()).toEqual([]);
    const effects = recorded.seen.filter(({ saw }) => saw === "effect");
    expect(new Set(effects.map(({ key }) => key)).size).toBe(12);
    const repeated = effects.length - 12;
    // What was recorded is not begun again; what was begun and not recorded may be: the batch of one claim.
    expect(repeated).toBeLessThanOrEqual(8);
    if (dies.at === "take") expect(repeated).toBe(0);
    if (dies.at === "take" && dies.moment === "before") expect(recorded.rows.filter(({ attempt }) => attempt !== 1)).toEqual([]);
    if (dies.at === "effect" && dies.moment === "after") expect(repeated).toBeGreaterThan(0);
    // A task is free again when its own lease is over, whichever lease it was claimed with: the rest is a poll.
    expect((await farm.recoveries.reclaims()).at(-1) ?? 0).toBeLessThan(healsWithinMs());
    const [[longest = "0"] = []] = await farm.place.rows("select max(to_ready - at_ms) from crash_history where to_status = 'running'");
    expect(Number(longest)).toBeLessThanOrEqual(5010);
  });
});
