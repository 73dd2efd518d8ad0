import { faultProxy, privateMariadb, privateRedis, type FaultProxy, type PrivateMariadb, type PrivateRedis } from "@sallyport/adapter-kit";
import { mariadbPlace, type Place } from "./places.js";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A server, one that stands by for it with a copy of what it was told, and one address that leads to whichever of them serves. */
export interface StandBy {
  readonly place: Place;
  /** From now on the copy lacks what is written. */
  lag(): Promise<void>;
  /** The one that stands by serves, with what it has. */
  promote(): Promise<void>;
  dispose(): Promise<void>;
}

/** Settles once both have what the first was told so far. */
async function caughtUp(db: PrivateMariadb, copy: PrivateMariadb): Promise<void> {
  const [file = "", position = ""] = (await db.sql("show master status")).split("\t");
  const waited = await copy.sql(`select master_pos_wait('${file}', ${position}, 60)`);
  if (["NULL", "-1"].includes(waited.trim())) throw new Error(`The replica does not follow: ${await copy.sql("show slave status\\G")}`);
}

/**
 * Two MariaDB servers, the second a replica by the binary log. Processes come as a user who may not write where it is read-only. The first one is not killed at the failover: it becomes read-only and stays up, with the
 * connections that lead to it.
 */
export async function mariadbStandBy(): Promise<StandBy> {
  const settings = ["--log-bin=bin", "--binlog-format=ROW"];
  const db = await privateMariadb({ settings: [...settings, "--server-id=1"] });
  const copy = await privateMariadb({ settings: [...settings, "--server-id=2", "--read-only=1"] }).catch(async (error: unknown) => {
    await db.dispose();
    throw error;
  });
  const proxy = await faultProxy(db.server.port);
  for (const one of [db, copy])
    await one.sql(
      "set sql_log_bin = 0; create user app@'127.0.0.1'; grant all on *.* to app@'127.0.0.1'; revoke super, read only admin on *.* from app@'127.0.0.1'",
    );
  const [file = "", position = ""] = (await db.sql("show master status")).split("\t");
  await copy.sql(
    `change master to master_host = '127.0.0.1', master_port = ${db.server.port}, master_user = 'app', master_log_file = '${file}', master_log_pos = ${position}; start slave`,
  );
  let serving = db;
  const place = await mariadbPlace(db, null, () => serving);
  const at = { mysql: db.url(place.database, proxy.port).replace("root@", "app@") };
  return {
    place: { ...place, at },
    lag: async () => {
      await caughtUp(db, copy);
      await copy.sql("stop slave sql_thread");
    },
    promote: async () => {
      await db.sql("set global read_only = 1");
      await copy.sql("stop slave; reset slave all; set global read_only = 0");
      proxy.lead(copy.server.port);
      serving = copy;
    },
    dispose: () => disposed(proxy, [db, copy]),
  };
}

/** Two Redis servers, the second a replica of the first, which is killed at the failover. */
export async function redisStandBy(db: PrivateMariadb): Promise<StandBy> {
  const [redis, copy] = await Promise.all([privateRedis(), privateRedis()]);
  const [front, between] = [await faultProxy(redis.server.port), await faultProxy(redis.server.port)];
  await copy.command(`REPLICAOF 127.0.0.1 ${between.port}`);
  for (const untilMs = Date.now() + 60_000; !(await copy.command("INFO replication")).includes("master_link_status:up"); await pause(50))
    if (Date.now() > untilMs) throw new Error("The replica does not follow.");
  const place = await mariadbPlace(db, redis);
  return {
    place: { ...place, redisUrl: `redis://127.0.0.1:${front.port}` },
    lag: () => Promise.resolve(between.set({ kind: "blackhole" })),
    promote: async () => {
      await redis.server.kill();
      await copy.command("REPLICAOF NO ONE");
      front.lead(copy.server.port);
    },
    dispose: async () => {
      await between.close();
      await disposed(front, [redis, copy]);
    },
  };
}

async function disposed(proxy: FaultProxy, servers: readonly (PrivateMariadb | PrivateRedis)[]): Promise<void> {
  await proxy.close();
  await Promise.all(servers.map((server) => server.dispose()));
}
