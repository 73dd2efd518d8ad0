import { createReadStream, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sqlite } from "@sallyport/adapters-sqlite";
import { afterAll, expect, it } from "vitest";
import { exportStore } from "../../src/backup/export-store.js";
import { importStore } from "../../src/backup/import-store.js";
import { task } from "../../src/entities/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { insert } from "../../src/ports/index.js";
import { clock, everything, seal, soon, system, taskRow } from "./stored-rows.js";

setFlagsFromString("--expose-gc");
/** What is not garbage counts. */
const collect = runInNewContext("gc") as () => void;

const folder = mkdtempSync(join(tmpdir(), "sallyport-backup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROWS = 100_000;
/** What a hundred thousand rows of this size would weigh is 100 MB and more. */
const MOST_MB = 60;

it("a store of 100,000 rows is written to a file and read from it with memory that stays flat", async () => {
  const from = await sqlite(join(folder, "from.db")).open({ entities: everything });
  const to = await sqlite(join(folder, "to.db")).open({ entities: everything });
  const payload = "x".repeat(900);
  for (let i = 0; i < ROWS; i += 500)
    await from.commit(
      Array.from({ length: 500 }, (_, n) => ({
        scope: system,
        writes: [insert(task, taskRow(`task_${String(i + n).padStart(6, "0")}`, { payload }) as never)],
      })),
      soon(),
    );
  const file = join(folder, "all.ndjson");
  let most = 0;
  collect();
  const before = process.memoryUsage().heapUsed;
  const look = (): void => {
    collect();
    most = Math.max(most, process.memoryUsage().heapUsed - before);
  };
  const source = { store: from, clock, crypto, entities: everything };
  await pipeline(
    Readable.from(exportStore(source, { onProgress: (_name, lines) => lines % 10_000 === 0 && look() })),
    createWriteStream(file),
  );
  const report = await importStore(
    { store: to, clock, entities: everything, placeholders: { crypto, seal } },
    () => createReadStream(file),
    {
      onProgress: (_name, lines) => lines % 10_000 === 0 && look(),
    },
  );
  expect(report.entities).toMatchObject([{ entity: "task", created: ROWS, refused: 0 }]);
  process.stdout.write(`\n  ${ROWS} rows: ${(most / 1e6).toFixed(1)} MB at the most\n`);
  expect(most).toBeLessThan(MOST_MB * 1e6);
  await from.close();
  await to.close();
});
