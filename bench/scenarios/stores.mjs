import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle } from "../lib/bundle.mjs";
import { cpuMicros, start } from "../lib/processes.mjs";
import { median, ratio, table } from "../lib/table.mjs";

/** Beside node_modules, so that what is bundled finds it. */
const results = new URL("../results/", import.meta.url).pathname;
const MOST_BATCH = 64;
/** Code that has not run so often yet is several times slower than it will be; a slow subject is not waited for. */
const WARM_UNITS = 5_000;
const MEMORY = "memory";

/** Stores beside the raw drivers on the same tables, in one run. Servers are started privately from installed binaries; a store without one is left out, and that is said. */
export async function stores({ count, seconds, rows, only }) {
  mkdirSync(results, { recursive: true });
  const bundled = mkdtempSync(join(results, "stores-"));
  const folder = mkdtempSync(join(tmpdir(), "sallyport-stores-"));
  const closing = [];
  try {
    await bundle(["stores/index.ts", "stores/node.ts"], bundled);
    const lib = await import(pathToFileURL(join(bundled, "index.mjs")).href);
    const o = { lib, folder, count, seconds, rows, node: join(bundled, "node.mjs"), servers: await serversOf(lib, closing), closing };
    const measured = {};
    for (const [name, part] of Object.entries(parts))
      if (only === undefined || only.split(",").includes(name)) measured[name] = await part(o);
    return measured;
  } finally {
    for (const close of closing.reverse()) await close().catch(() => undefined);
    for (const path of [bundled, folder]) rmSync(path, { recursive: true, force: true });
  }
}

async function serversOf(lib, closing) {
  const mariadb = lib.hasService("mariadb") ? await lib.privateMariadb() : null;
  const redis = lib.hasService("redis") ? await lib.privateRedis() : null;
  for (const server of [mariadb, redis]) if (server !== null) closing.push(() => server.dispose());
  return { mariadb, redis };
}

let files = 0;
/** Each subject on a file or database of its own. What is in memory slows down the collector of garbage for everybody, so it comes last, in a part of its own. */
async function subjectsOf({ folder, servers, lib }) {
  const places = [
    { name: "SQLite", base: "libsql", place: { kind: "sqlite", at: join(folder, `${++files}.db`) } },
    { name: "libsql", place: { kind: "raw sqlite", at: join(folder, `${++files}.db`) } },
  ];
  if (servers.mariadb !== null) {
    const url = async () => servers.mariadb.url(await servers.mariadb.database());
    const pid = () => servers.mariadb.server.pid;
    places.push({ name: "MariaDB", base: "mysql2", pid, place: { kind: "mysql", at: await url() } });
    places.push({ name: "mysql2", pid, place: { kind: "raw mysql", at: await url() } });
  }
  const opened = [];
  for (const subject of places) opened.push({ ...subject, work: await lib.openSubject(subject.place) });
  return opened;
}

/** One case: on fresh stores, all in turn; then on the store in memory, by itself. What a case has written does not burden the next one. */
async function onFreshStores(o, measure) {
  const subjects = await subjectsOf(o);
  const measured = await interleaved(subjects, o, measure);
  for (const { work } of subjects) await work.close();
  const memory = { name: MEMORY, work: await o.lib.openSubject({ kind: "memory", at: "" }) };
  const alone = await interleaved([memory], { count: 3, seconds: 0.3 }, measure);
  await memory.work.close();
  globalThis.gc?.();
  return {
    subjects: [memory, ...subjects],
    perSecond: { ...alone.perSecond, ...measured.perSecond },
    cpu: { ...alone.cpu, ...measured.cpu },
  };
}

/** CPU time of this process and of the server that a subject talks to, µs. */
function cpuOf({ pid }) {
  const { user, system } = process.cpuUsage();
  return user + system + (pid === undefined ? 0 : cpuMicros(pid()));
}

/** Units a second, `loops` at a time, and what one costs. */
async function loopFor(subject, one, { seconds, loops = 1 }) {
  const before = cpuOf(subject);
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1_000;
  let units = 0;
  const loop = async () => {
    while (performance.now() < endAt) units += await one(subject.work);
  };
  await Promise.all(Array.from({ length: loops }, loop));
  return { perSecond: (units * 1_000) / (performance.now() - startedAt), cpu: (cpuOf(subject) - before) / units };
}

/** Every subject once a round, in turn, after a warm-up; medians. */
async function interleaved(subjects, { count, seconds }, measure) {
  const seen = new Map(subjects.map(({ name }) => [name, []]));
  for (const subject of subjects)
    for (let units = 0, tries = 0; units < WARM_UNITS && tries < 8; tries++) units += (await measure(subject, 0.5)).perSecond * 0.5;
  for (let round = 0; round < count; round++) for (const subject of subjects) seen.get(subject.name).push(await measure(subject, seconds));
  const of = (key) => Object.fromEntries([...seen].map(([name, list]) => [name, Math.round(median(list.map((one) => one[key])))]));
  return { perSecond: of("perSecond"), cpu: of("cpu") };
}

/** Units a second; `×`: beside the raw driver in units a second, and by CPU, the server's included. */
function show(title, subjects, rows) {
  const pairs = subjects.filter(({ base }) => base !== undefined);
  const shown = rows.map(({ name, aim, perSecond, cpu }) => {
    const ratios = pairs.map(({ name: of, base }) => [ratio(perSecond[of], perSecond[base]), ratio(cpu[base], cpu[of]) ?? "–"].join(", "));
    return [name, ...subjects.map(({ name: of }) => perSecond[of]), ...ratios, aim];
  });
  const compared = pairs.map(({ name, base }) => `${name} × ${base}`);
  table(title, ["", ...subjects.map(({ name }) => name), ...compared, "aim"], shown);
  return rows.map(({ name, aim, perSecond, cpu }) => ({ name, aim, perSecond, cpu }));
}

const parts = {
  async writes(o) {
    const cases = [
      ["session appends, one at a time", "", (work) => work.append(1), 1],
      ["session appends, 16 in flight", "", (work) => work.append(1), 16],
      [`session appends, ${MOST_BATCH} together`, "0.7", (work) => work.append(MOST_BATCH), 1],
      ["ledger units, one at a time", "", (work) => work.ledger(1), 1],
      [`ledger units, ${MOST_BATCH} together`, "0.7", (work) => work.ledger(MOST_BATCH), 1],
      [`one hot budget, ${MOST_BATCH} together`, "0.7", (work) => work.hot(MOST_BATCH), 1],
    ];
    const rows = [];
    for (const [name, aim, one, loops] of cases)
      rows.push({ name, aim, ...(await onFreshStores(o, (subject, seconds) => loopFor(subject, one, { seconds, loops }))) });
    return show("Writes a second", rows[0].subjects, rows);
  },

  async takes(o) {
    const rows = [];
    for (const [name, aim, limit] of [
      ["claim and complete, one at a time", "", 1],
      ["claim and complete, 32 a claim", "0.6", 32],
    ]) {
      const measure = async (subject, seconds) => {
        const { work } = subject;
        // Always enough to take, made outside of what is measured.
        let ready = 0;
        let units = 0;
        let spentMs = 0;
        let cpu = 0;
        while (spentMs < seconds * 1_000) {
          if (ready < 4 * limit) await work.addTasks(2_000).then(() => (ready += 2_000));
          const before = cpuOf(subject);
          const startedAt = performance.now();
          const done = await work.claim(limit);
          cpu += cpuOf(subject) - before;
          spentMs += performance.now() - startedAt;
          units += done;
          ready -= done;
        }
        return { perSecond: (units * 1_000) / spentMs, cpu: cpu / units };
      };
      rows.push({ name, aim, ...(await onFreshStores(o, measure)) });
    }
    return show("Tasks claimed and completed a second", rows[0].subjects, rows);
  },

  async nodes(o) {
    const subjects = await subjectsOf(o);
    for (const { work } of subjects) o.closing.push(() => work.close());
    const rows = [];
    for (const [name, method] of [
      [`one hot budget, 4 processes, ${MOST_BATCH} together`, "hot"],
      [`ledger units, 4 processes, ${MOST_BATCH} together`, "ledger"],
    ]) {
      const measure = async ({ place }, seconds) => {
        const job = { place, method, batch: MOST_BATCH, startAtMs: Date.now() + 4_000, seconds };
        const done = await Promise.all([0, 1, 0, 1].map((core) => start(o.node, { args: [JSON.stringify(job)], core, readyMs: 180_000 })));
        return { perSecond: done.reduce((sum, one) => sum + one.perSecond, 0), cpu: null };
      };
      rows.push({ name, aim: "0.7", ...(await interleaved(subjects, o, measure)) });
    }
    return show("Units a second, 4 processes on one store", subjects, rows);
  },

  async reads(o) {
    const subjects = await subjectsOf(o);
    for (const { work } of subjects) o.closing.push(() => work.close());
    for (const { name, work } of subjects) {
      const startedAt = performance.now();
      for (let i = 0; i < o.rows; i += 1_000) await work.ledger(Math.min(1_000, o.rows - i));
      console.log(`${name}: ${o.rows} rows in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
    }
    const rows = [];
    for (const [name, method] of [
      ["list: the newest 50 of a project", "list"],
      ["search: 50 of a caller in an hour", "search"],
      ["page: 50 from the middle", "page"],
    ]) {
      const seen = new Map(subjects.map(({ name: of }) => [of, []]));
      for (let round = -1; round < o.count; round++)
        for (const { name: of, work } of subjects)
          for (let i = 0; i < 40; i++) {
            const startedAt = performance.now();
            await work[method]();
            if (round >= 0) seen.get(of).push(performance.now() - startedAt);
          }
      const at = (list, p) => Number(list.toSorted((a, b) => a - b)[Math.floor(list.length * p)].toFixed(2));
      rows.push({ name, ms: Object.fromEntries([...seen].map(([of, list]) => [of, [at(list, 0.5), at(list, 0.99)]])) });
    }
    table(
      `Reads at ${o.rows} rows of the usage ledger, ms, p50 / p99`,
      ["", ...subjects.map(({ name }) => name)],
      rows.map(({ name, ms }) => [name, ...subjects.map(({ name: of }) => ms[of].join(" / "))]),
    );
    return rows;
  },

  async counters({ lib, servers, count, seconds, closing }) {
    const subjects = [{ name: "memory", work: lib.memorySpending() }];
    if (servers.redis !== null) {
      subjects.push({
        name: "Redis",
        base: "INCRBY × 3",
        pid: () => servers.redis.server.pid,
        work: await lib.redisSpending(servers.redis.url),
      });
      subjects.push({ name: "INCRBY × 3", pid: () => servers.redis.server.pid, work: await lib.rawSpending(servers.redis.url) });
    }
    for (const { work } of subjects) closing.push(() => work.close());
    const rows = [];
    for (const [name, loops] of [
      ["spend three demands, one at a time", 1],
      ["spend three demands, 32 in flight", 32],
    ]) {
      const one = (work) => work.spend().then(() => 1);
      const measure = (subject, long) => loopFor(subject, one, { seconds: long, loops });
      rows.push({ name, aim: "", ...(await interleaved(subjects, { count, seconds }, measure)) });
    }
    return show("Limits a second", subjects, rows);
  },

  async jobs({ lib, servers, count, folder, closing }) {
    const subjects = [{ name: "memory", work: await lib.gatewayJobs("memory"), jobs: 4_000 }];
    const base = servers.redis === null ? undefined : "BullMQ";
    subjects.push({ name: "SQLite", base, work: await lib.gatewayJobs({ sqlite: join(folder, `${++files}.db`) }), jobs: 4_000 });
    if (servers.mariadb !== null) {
      const url = servers.mariadb.url(await servers.mariadb.database());
      subjects.push({
        name: "MariaDB",
        base,
        pid: () => servers.mariadb.server.pid,
        work: await lib.gatewayJobs({ mysql: url }),
        jobs: 2_000,
      });
    }
    if (servers.redis !== null)
      subjects.push({ name: "BullMQ", pid: () => servers.redis.server.pid, work: await lib.bullJobs(servers.redis.url), jobs: 4_000 });
    for (const { work } of subjects) closing.push(() => work.close());
    const measure = async (subject) => {
      const before = cpuOf(subject);
      const perSecond = await subject.work.run(subject.jobs);
      return { perSecond, cpu: (cpuOf(subject) - before) / subject.jobs };
    };
    const measured = await interleaved(subjects, { count, seconds: 1 }, measure);
    return show("Jobs a second, created and done, 32 at once", subjects, [
      { name: "tasks end to end", aim: "SQLite 2, MariaDB 0.25", ...measured },
    ]);
  },
};
