import { afterEach, describe, expect, it } from "vitest";
import { checkLedger } from "./check/check-ledger.js";
import { addBudget, Callers, reconciled, urlOf } from "./farm/callers.js";
import { onMariadb, onSqlite } from "./farm/every-place.js";
import { Farm } from "./farm/farm.js";
import { dose, randomFrom } from "./farm/faults.js";

let farm: Farm;
afterEach(() => farm.close());
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([onSqlite, ...onMariadb])("gateways that answer model calls and are killed, on $name", ({ open }) => {
  it("F56, F57: one usage row for every call that was answered, one at the most for any, and a budget that agrees with them", async () => {
    farm = await Farm.start(await open(), { over: { serves: true, taskMs: 60 } });
    await addBudget(farm.gateway);
    const callers = new Callers(farm);
    const random = randomFrom(43);
    const employ = async (): Promise<void> => {
      while (farm.workers.size < 3) farm.worker();
      while (![...farm.workers].some((worker) => urlOf(worker) !== undefined)) await pause(10);
    };
    await employ();
    callers.start(12);
    for (let kills = 0; kills < dose(10); kills++) {
      await employ();
      // In the middle of work, however slow this machine is.
      const answered = callers.accepted.length + 5 + random() * 30;
      while (callers.accepted.length < answered) await pause(5);
      const ready = [...farm.workers].filter((worker) => urlOf(worker) !== undefined);
      await ready[Math.floor(random() * ready.length)]?.kill();
    }
    await callers.stop();
    await pause(500);
    for (const worker of farm.workers) await worker.kill();
    await reconciled(farm);
    const recorded = await callers.recorded();
    process.stdout.write(
      `\n  ${recorded.sent.size} calls sent, ${recorded.accepted.length} answered, ${recorded.usage.length} usage rows\n`,
    );
    expect(recorded.accepted.length).toBeGreaterThan(dose(10));
    expect(checkLedger(recorded)).toEqual([]);
  });
});
