import { afterEach, describe, expect, it } from "vitest";
import { onBoth, onMariadb } from "./farm/every-place.js";
import { Farm } from "./farm/farm.js";
import { dose, employ, randomFrom } from "./farm/faults.js";
import { expectHealed } from "./farm/healed.js";

let farm: Farm;
afterEach(() => farm.close());
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Time for the work to go on, and for the next fault to meet it at another point. */
const between = async (random: () => number): Promise<void> => void (await pause(600 + random() * 900));

describe.each(onMariadb)("the database server is killed under load", ({ open }) => {
  it("F09: ten times, and started again: accepted tasks are there, each ends once, and nobody restarts a worker", async () => {
    farm = await Farm.start(await open());
    const random = randomFrom(29);
    await employ(farm, 3);
    const before = [...farm.workers];
    farm.producer.start({ perSecond: 25 });
    for (let kills = 0; kills < dose(10); kills++) {
      await between(random);
      const outageFromMs = Date.now();
      await farm.place.db?.server.kill();
      await pause(random() * 1000);
      await farm.place.db?.server.start();
      farm.recoveries.over("database: kill -9", { outageFromMs });
    }
    await between(random);
    await farm.producer.stop();
    await farm.settled();
    expect([...farm.workers]).toEqual(before);
    await expectHealed(farm, "MariaDB killed");
    expect(await farm.faults()).toEqual([]);
  });

  it("F08: together with every worker: what comes back finds everything", async () => {
    farm = await Farm.start(await open());
    const random = randomFrom(31);
    farm.producer.start({ perSecond: 20 });
    for (let kills = 0; kills < dose(3); kills++) {
      await employ(farm, 3);
      await between(random);
      const outageFromMs = Date.now();
      await Promise.all([farm.place.db?.server.kill(), ...[...farm.workers].map((worker) => worker.kill())]);
      await farm.place.db?.server.start();
      await employ(farm, 3);
      farm.recoveries.over("database and all workers: kill -9", { outageFromMs });
    }
    await between(random);
    await farm.producer.stop();
    await farm.settled();
    await expectHealed(farm, "everything killed");
    expect(await farm.faults()).toEqual([]);
  });
});

describe.each(onBoth)("Redis is killed and emptied under load", ({ open }) => {
  it("F36, F37, F38: tasks go on without it, and faster again with it: nothing was kept only there", async () => {
    farm = await Farm.start(await open());
    const random = randomFrom(37);
    await employ(farm, 3);
    const before = [...farm.workers];
    farm.producer.start({ perSecond: 25 });
    for (let times = 0; times < dose(6); times++) {
      await between(random);
      if (times % 2 === 0) {
        await farm.place.redis?.command("FLUSHALL");
        farm.recoveries.over("Redis: emptied");
        continue;
      }
      await farm.place.redis?.server.kill();
      farm.recoveries.over("Redis: kill -9, not there");
      await between(random);
      await farm.place.redis?.server.start();
      farm.recoveries.over("Redis: back, empty");
    }
    await between(random);
    await farm.producer.stop();
    await farm.settled();
    expect([...farm.workers]).toEqual(before);
    await expectHealed(farm, "Redis killed and emptied");
    // A store that is there takes what it is given, whatever becomes of Redis.
    expect(farm.producer.refusals).toBe(0);
    expect(await farm.faults()).toEqual([]);
  });
});
