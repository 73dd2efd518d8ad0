import { connect } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { faultProxy } from "./fault-proxy.js";
import { hasService } from "./installed-service.js";
import { privateMariadb } from "./private-mariadb.js";
import { privateRedis } from "./private-redis.js";

describe.skipIf(!hasService("mariadb"))("a private MariaDB", () => {
  it("keeps what was committed when it is killed and started again, on the same port", async () => {
    const db = await privateMariadb();
    const name = await db.database();
    const { port } = db.server;
    await db.sql(`create table ${name}.t (a int) engine=innodb; insert into ${name}.t values (1), (2)`);
    await db.server.kill();
    expect(db.server.isUp).toBe(false);
    await db.server.start();
    expect(db.server.port).toBe(port);
    expect((await db.sql(`select count(*) from ${name}.t`)).trim()).toBe("2");
    await db.dispose();
  });
});

describe.skipIf(!hasService("redis"))("a private Redis, behind the proxy", () => {
  it("passes, is silent when half open, and is cut after so many bytes", async () => {
    const redis = await privateRedis();
    const proxy = await faultProxy(redis.server.port);
    const socket = connect(proxy.port, "127.0.0.1").on("error", () => undefined);
    await once(socket, "connect");
    socket.write("PING\r\n");
    expect(String((await once(socket, "data"))[0])).toBe("+PONG\r\n");
    proxy.set({ kind: "blackhole" });
    socket.write("PING\r\n");
    const silent = await Promise.race([once(socket, "data"), new Promise((resolve) => setTimeout(() => resolve("silent"), 100))]);
    expect(silent).toBe("silent");
    proxy.set({ kind: "pass" });
    proxy.cutAfter(3);
    const closed = once(socket, "close");
    socket.write("PING\r\n");
    expect(String((await once(socket, "data"))[0])).toBe("+PO");
    await closed;
    await proxy.close();
    await redis.dispose();
  });
});
