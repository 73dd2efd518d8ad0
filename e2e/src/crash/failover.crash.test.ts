import { hasService, privateMariadb } from "@sallyport/adapter-kit";
import { afterEach, describe, expect, it } from "vitest";
import { checkTasks } from "./check/check-tasks.js";
import type { Recorded } from "./check/recorded.js";
import { OWNER_KEY } from "./worker/worker-options.js";
import { Farm } from "./farm/farm.js";
import { employ } from "./farm/faults.js";
import { expectHealed, healsWithinMs } from "./farm/healed.js";
import { mariadbStandBy, redisStandBy, type StandBy } from "./farm/stand-by.js";

let farm: Farm;
let standBy: StandBy;
const others: (() => Promise<void>)[] = [];
afterEach(async () => {
  await farm?.close();
  await standBy?.dispose();
  for (const dispose of others.splice(0)) await dispose();
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const ask = (path: string, body: object): Promise<Response> => {
  const headers = { authorization: `Bearer ${OWNER_KEY}`, "content-type": "application/json" };
  return farm.gateway.fetch(new Request(`http://localhost${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
};
/** A route is configuration: every process follows it. */
async function addRoute(name: string): Promise<void> {
  const made = await ask("/api/v1/routes", { name, targets: [{ model: "demo/echo" }] });
  expect([made.status, await made.text()]).toMatchObject([201, expect.any(String)]);
}
/** Whether the gateway of this process knows the route. */
const knows = async (name: string): Promise<boolean> =>
  (await ask("/v1/chat/completions", { model: `route/${name}`, messages: [{ role: "user", content: "hi" }] })).status === 200;

/** What only the first server knew of: tasks that it accepted, and claims of such as stand, by their effects. */
function lost({ accepted, rows, history, seen }: Recorded) {
  const standing = new Set(rows.map(({ id }) => id));
  const claims = new Map(
    history.filter((t) => t.to === "running" && t.toAttempt !== t.fromAttempt).map((t) => [`${t.task} ${t.toAttempt}`, t.atMs]),
  );
  const effects = seen.filter(({ task, attempt, atMs }) => standing.has(task) && (claims.get(`${task} ${attempt}`) ?? Infinity) > atMs);
  return { tasks: accepted.filter(({ id }) => !standing.has(id)), effects: new Set(effects), standing };
}

describe.runIf(hasService("mariadb"))("a replica that lags takes the place of the database", () => {
  it("F33: what it lacks is gone and said to be, what it has ends once, and nobody goes on with what only the first one knew", async () => {
    standBy = await mariadbStandBy();
    farm = await Farm.start(standBy.place, { over: { taskMs: 900, concurrency: 8 } });
    await employ(farm, 3);
    const before = [...farm.workers];
    await addRoute("kept");
    farm.producer.start({ perSecond: 12 });
    await pause(2_000);
    // The replica knows of these; some are claimed when it lags.
    const due = new Set<string | undefined>();
    for (let i = 1; i <= 20; i++) due.add((await farm.producer.create({ delayMs: i * 1000 }))?.id);
    // What was accepted before is there: the replica is waited for. It may lack what comes while it is being stopped.
    const completeUntilMs = Date.now();
    await standBy.lag();
    const lagsFromMs = Date.now();
    await addRoute("lost");
    await expect.poll(() => knows("lost"), { timeout: healsWithinMs() }).toBe(true);
    const begun = () => farm.place.seen().filter(({ saw, task, atMs }) => saw === "effect" && due.has(task) && atMs > lagsFromMs).length;
    await expect.poll(begun, { timeout: 60_000 }).toBeGreaterThan(1);
    await pause(1_000);
    const outageFromMs = Date.now();
    await standBy.promote();
    const promotedAtMs = Date.now();
    farm.recoveries.over("database: failover to a replica that lags", { outageFromMs });
    // Every process hears of it by itself.
    const told = (line: string): boolean => line.includes("the store lacks writes that it had");
    await expect
      .poll(() => before.filter(({ lines }) => lines.some(told)).length, { timeout: healsWithinMs(), interval: 50 })
      .toBe(before.length);
    await expect.poll(() => knows("lost"), { timeout: healsWithinMs() }).toBe(false);
    await addRoute("later");
    for (const name of ["kept", "later"]) await expect.poll(() => knows(name), { timeout: healsWithinMs() }).toBe(true);
    await pause(3_000);
    await farm.producer.stop();
    await farm.settled();
    expect([...farm.workers]).toEqual(before);
    await expectHealed(farm, "failover");
    const recorded = await farm.recorded();
    const { tasks, effects, standing } = lost(recorded);
    process.stdout.write(`  ${tasks.length} accepted tasks and ${effects.size} claims of others were lost with the first server.\n`);
    expect(tasks.length).toBeGreaterThan(0);
    expect(effects.size).toBeGreaterThan(0);
    // Only what was accepted while the replica lagged; this process may hear late of what the first one accepted last.
    expect(tasks.filter(({ askedAtMs, acceptedAtMs }) => acceptedAtMs < completeUntilMs || askedAtMs > promotedAtMs)).toEqual([]);
    const left = {
      ...recorded,
      accepted: recorded.accepted.filter(({ id }) => standing.has(id)),
      seen: recorded.seen.filter((one) => standing.has(one.task) && !effects.has(one)),
    };
    const faults = checkTasks(left, { slackMs: 5, maxAttempts: null });
    // A claim that only the first server knew of is made again under its number, and a slow process may begin the first one's work after that: twice, with one key. Its outcome is the second one's.
    const late = recorded.accepted.filter(
      ({ id, askedAtMs }) =>
        askedAtMs < promotedAtMs && faults.some((fault) => fault.startsWith("claimed twice: attempt") && fault.includes(id)),
    );
    expect(faults.filter((fault) => !late.some(({ id }) => fault.includes(id)))).toEqual([]);
  });
});

describe.runIf(hasService("mariadb") && hasService("redis"))("a replica that lags takes the place of Redis", () => {
  it("F38: what it lacks was nowhere needed: every task ends once, and none waits for a restart", async () => {
    const db = await privateMariadb();
    others.push(() => db.dispose());
    standBy = await redisStandBy(db);
    farm = await Farm.start(standBy.place);
    await employ(farm, 3);
    const before = [...farm.workers];
    farm.producer.start({ perSecond: 25 });
    await pause(1_500);
    await standBy.lag();
    await pause(1_500);
    await standBy.promote();
    farm.recoveries.over("Redis: failover to a replica that lags");
    await pause(3_000);
    await farm.producer.stop();
    await farm.settled();
    expect([...farm.workers]).toEqual(before);
    await expectHealed(farm, "Redis's replica");
    expect(farm.producer.refusals).toBe(0);
    expect(await farm.faults()).toEqual([]);
  });
});
