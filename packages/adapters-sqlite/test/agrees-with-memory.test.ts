import { answerOf, kitEntities, storeQuestions } from "@sallyport/adapter-kit";
import { memoryStore } from "@sallyport/core/memory";
import { derivedMigration } from "@sallyport/sql";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sqliteDialect } from "../src/dialect.js";
import { sqlite } from "../src/index.js";

it("SQLite and memory answer every question alike", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(storeQuestions, { minLength: 5, maxLength: 40 }), async (questions) => {
      let nowMs = 0;
      const clock = { now: () => nowMs, monotonic: () => nowMs, at: () => () => undefined };
      const memory = memoryStore({ clock });
      const file = await sqlite(":memory:", { clock, migrations: [derivedMigration(sqliteDialect, kitEntities)] }).open({
        entities: kitEntities,
      });
      for (const question of questions) {
        nowMs += 100;
        expect(await answerOf(file, question)).toEqual(await answerOf(memory, question));
      }
      await Promise.all([memory.close(), file.close()]);
    }),
    { numRuns: Number(process.env["SALLYPORT_FUZZ_RUNS"] ?? 150) },
  );
});
