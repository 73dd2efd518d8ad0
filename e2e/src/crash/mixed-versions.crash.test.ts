import { afterEach, describe, expect, it } from "vitest";
import { onMariadb, onSqlite } from "./farm/every-place.js";
import { Farm } from "./farm/farm.js";
import { employ } from "./farm/faults.js";
import { expectHealed } from "./farm/healed.js";

let farm: Farm;
afterEach(() => farm.close());
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a newer version brings: a column that may be null, a table, an index, and the note that it was done. */
const newer = (text: string): string[] => [
  `alter table tasks add column crash_note ${text} null`,
  `create table crash_newer (id ${text} not null primary key, note ${text} null)`,
  "create index crash_newer_note on tasks (crash_note)",
  "insert into sallyport_migrations (id, applied_at_ms) values ('9999_newer', 0)",
];

describe.each([onSqlite, ...onMariadb])("a database that is migrated while older processes work on it, on $name", ({ open, name }) => {
  it("F27: they work on, one that starts anew refuses and says why, and nothing is corrupted", async () => {
    farm = await Farm.start(await open());
    await employ(farm, 3);
    for (let i = 0; i < 20; i++) await farm.producer.create({ delayMs: 12_000 });
    farm.producer.start({ perSecond: 25 });
    await pause(1000);
    for (const statement of newer(name === "SQLite" ? "text" : "varchar(50)")) {
      await farm.place.run([statement]);
      farm.recoveries.over("migration of a newer version");
      await pause(300);
    }
    // What a newer version writes is left alone by older ones.
    await farm.place.run(["update tasks set crash_note = 'kept' where status = 'pending'"]);
    const noted = (await farm.place.rows("select count(*) from tasks where crash_note = 'kept'"))[0]?.[0];
    const late = farm.worker({ name: "late" });
    expect(await late.ended).toMatchObject({ code: 3 });
    expect(late.lines.join()).toMatch(/misconfigured: .*migrated by a newer Sallyport \(9999_newer\)/);
    await pause(1000);
    await farm.producer.stop();
    await farm.settled();
    await expectHealed(farm, "migrated under way");
    expect((await farm.place.rows("select count(*) from tasks where crash_note = 'kept'"))[0]?.[0]).toBe(noted);
    expect(Number(noted)).toBeGreaterThan(10);
    expect(await farm.faults()).toEqual([]);
  });
});
