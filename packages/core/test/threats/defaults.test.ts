import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, it, onTestFinished } from "vitest";
import { user } from "../../src/entities/index.js";
import { effective } from "../../src/config/effective.js";
import { loadConfig } from "../../src/config/load-config.js";
import { Gateway } from "../../src/gateway.js";
import { memoryStore } from "../../src/memory/index.js";
import { serve } from "../../src/node/index.js";

/** Whoever changes what holds without configuration sees it here, and has it looked at by somebody else. */
it("without any configuration what holds is exactly what was looked at (T28)", () => {
  const loaded = loadConfig({ env: {} } as never);
  const shown = effective(loaded).map(({ path, value }) => `${path} = ${JSON.stringify(value)}`);
  expect(shown).toMatchSnapshot();
  const all = Object.fromEntries(effective(loaded).map(({ path, value }) => [path, value]));
  expect(all).toMatchObject({
    "server.host": "127.0.0.1",
    "server.allowedHosts": "[]",
    "server.allowedOrigins": "[]",
    "server.trustProxy": false,
    "mcp.allowStdio": "[]",
    "network.allowPrivate": false,
    "telemetry.metrics.open": false,
    "audit.parameters": "none",
  });
});

const children = (): string[] => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").sort();

it("a gateway of which nobody said anything listens on loopback, lets nobody in, has no user and starts no process (T28)", async () => {
  const before = children(); // of test files that ran in this process before
  const store = memoryStore();
  const lines: string[] = [];
  const storage = { name: "shared", open: () => Promise.resolve(store) };
  const gateway = new Gateway({ env: {}, storage, log: (_level, message) => lines.push(message) });
  await gateway.start();
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close({ graceMs: 0 });
  });
  for (const path of ["/v1/models", "/api/v1/keys", "/api/v1/list/users", "/mcp", "/metrics", "/api/v1/audit-logs"])
    expect([path, (await fetch(serving.url + path)).status]).toEqual([path, 401]);
  const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
  expect((await store.find(user, { orderBy: "id", limit: 10 }, { system: "test" }, within)).rows).toEqual([]);
  for (const [username, password] of [
    ["admin", "admin"],
    ["root", "root"],
    ["admin", ""],
    ["owner", "changeme"],
  ]) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${serving.url}/api/v1/login`, { method: "POST", headers, body: JSON.stringify({ username, password }) });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  }
  const others = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ internal, family }) => !internal && family === "IPv4"),
  );
  for (const { address } of others) {
    const refused = await new Promise<string>((resolve) => {
      const socket = createConnection({ host: address, port: serving.port, timeout: 2_000 });
      socket
        .on("connect", () => resolve("connected"))
        .on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""))
        .on("timeout", () => resolve("timeout"));
    });
    expect(refused).toBe("ECONNREFUSED");
  }
  expect(children()).toEqual(before);
});
