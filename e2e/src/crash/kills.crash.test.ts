import { afterEach, describe, expect, it } from "vitest";
import { onBoth, onMariadb, onSqlite } from "./farm/every-place.js";
import { Farm } from "./farm/farm.js";
import { dose, killWorkers } from "./farm/faults.js";
import { expectHealed } from "./farm/healed.js";

let farm: Farm;
afterEach(() => farm.close());

describe.each([onSqlite, ...onMariadb, ...onBoth])("four workers on $name", ({ open, name }) => {
  it("F05: a hundred times one of them is killed and started again at once: nothing is lost, nothing has two outcomes", async () => {
    farm = await Farm.start(await open());
    farm.producer.start({ perSecond: 25 });
    // Three hundred in all.
    await killWorkers(farm, { kills: dose(name === "SQLite" ? 200 : 50), workers: 4, seed: 13 });
    await farm.producer.stop();
    await farm.settled();
    await expectHealed(farm, name);
    expect(await farm.faults()).toEqual([]);
  }, 600_000);
});
