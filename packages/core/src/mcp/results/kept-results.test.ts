import { expect, it } from "vitest";
import { toolResult, toolResultPart } from "../../entities/index.js";
import { memoryStore } from "../../memory/index.js";
import { crypto } from "../../platform/node-crypto.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { Log } from "../../util/log.js";
import { KeptResults } from "./kept-results.js";

const caller = { kind: "key", id: "ada", name: "Ada", projects: ["lab"], grants: ["mcp:*"] } as const;
const scope = { system: "test" };

function place() {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const services = { store, clock, crypto, log: new Log("silent", () => undefined) };
  const count = async (entity: typeof toolResult | typeof toolResultPart): Promise<number> =>
    (await store.find(entity as typeof toolResult, { orderBy: "id", limit: 1_000 }, scope, { deadlineMs: clock.now() + 5_000 })).rows
      .length;
  const left = async () => [await count(toolResult), await count(toolResultPart)];
  return { clock, services, left };
}
const keep = { caller, tool: "box__t", keepMs: 3_600_000 };

it("what a process kept that is gone is removed by one that keeps nothing, however much it is", async () => {
  const { clock, services, left } = place();
  const gone = new KeptResults(services);
  gone.start();
  for (let n = 0; n < 450; n++) await gone.keep(`text ${n}`, { ...keep, caller: { ...caller, id: `caller ${n % 9}` } });
  gone.close();
  const other = new KeptResults(services);
  other.start();
  expect(await left()).toEqual([450, 450]);
  await clock.advance(3_600_000);
  await clock.advance(600_000);
  await expect.poll(left).toEqual([0, 0]);
  other.close();
  expect(clock.pending).toBe(0);
});

it("what is kept again while it is swept stays, whole", async () => {
  const { clock, services, left } = place();
  const kept = new KeptResults(services);
  const again = { ...keep, sameAs: "task" };
  const id = await kept.keep("text", again);
  await clock.advance(3_600_000);
  // Kept anew between the sweep's reading and its removal.
  const { store } = services;
  const commit = store.commit.bind(store);
  store.commit = async (units, within) => {
    store.commit = commit;
    await kept.keep("text", again);
    return commit(units, within);
  };
  await kept.sweep();
  expect(await left()).toEqual([1, 1]);
  expect(await kept.read(id!, caller)).toBe("text");
});
