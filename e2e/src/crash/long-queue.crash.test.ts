import { task } from "@sallyport/core/entities";
import { afterEach, describe, expect, it } from "vitest";
import { onMariadb, onSqlite } from "./farm/every-place.js";
import { Farm } from "./farm/farm.js";
import { dose } from "./farm/faults.js";

let farm: Farm;
afterEach(() => farm.close());

const columns = [...Object.keys(task.fields), "id", "createdAtMs", "updatedAtMs", "version"].map((name) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
);

/** So many copies of a task that waits, each with its own id. */
function copies(id: string, count: number): string[] {
  const own = columns.map((name) => (name === "id" ? "concat('copy_', n)" : name));
  const numbers = `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${count})`;
  return [`insert into tasks (${columns.join(", ")}) ${numbers} select ${own.join(", ")} from tasks, numbers where id = '${id}'`];
}

describe.each([onSqlite, ...onMariadb])("a long queue, on $name", ({ open, name }) => {
  it("F25: a worker finds what is urgent among a hundred thousand that wait, and then those due longest", async () => {
    farm = await Farm.start(await open());
    const first = await farm.gateway.tasks.create({ type: "work", payload: {}, dueAtMs: Date.now() - 3_600_000, maxAttempts: 1000 });
    const count = dose(100_000);
    const [text = ""] = copies(first.id, count);
    const statements =
      name === "SQLite"
        ? [text.replace("concat('copy_', n)", "'copy_' || n")]
        : [`set session max_recursive_iterations = ${count + 1}; ${text}`];
    await farm.place.run(statements);
    const urgent = [];
    for (let i = 0; i < 20; i++) urgent.push((await farm.gateway.tasks.create({ type: "work", payload: {}, priority: 5 })).id);
    farm.worker({ concurrency: 1, taskMs: 0 });
    await expect.poll(() => farm.place.seen().length, { timeout: 200_000 }).toBeGreaterThan(60);
    const seen = farm.place.seen().map(({ task: id }) => id);
    expect(seen.slice(0, 20).sort()).toEqual(urgent.sort());
    // Due at one instant: by id.
    const rest = seen.slice(20, 60);
    expect(rest).toEqual([...rest].sort());
  });
});
