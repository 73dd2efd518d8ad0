import { availableParallelism, loadavg } from "node:os";
import { hasService, privateMariadb, privateRedis, type PrivateMariadb, type PrivateRedis } from "@sallyport/adapter-kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startFleet, type Fleet, type GatewayNode } from "./fleet.js";
import { McpClient } from "./mcp-client.js";
import { McpWorld } from "./mcp-world.js";
import { OWNER_KEY } from "./process/node-options.js";
import { World } from "./world.js";

const chat = (text: string) => ({ model: "v/m", max_tokens: 10, messages: [{ role: "user", content: text }] });
const within = { timeout: 60_000, interval: 100 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.runIf(hasService("mariadb") && hasService("redis"))("nodes that are killed, frozen or stopped", () => {
  let mariadb: PrivateMariadb;
  let redis: PrivateRedis;
  let world: World;
  let mcp: McpWorld;
  let fleet: Fleet;
  beforeAll(async () => {
    [mariadb, redis] = await Promise.all([privateMariadb(), privateRedis()]);
  }, 120_000);
  afterAll(() => Promise.all([mariadb?.dispose(), redis?.dispose()]));
  beforeEach(async () => {
    [world, mcp] = await Promise.all([World.open(), McpWorld.open()]);
    const store = { mysql: mariadb.url(await mariadb.database()) };
    fleet = await startFleet(3, { store, redis: redis.url, world: world.url, mcp: mcp.url, graceMs: 5_000 });
    // Who judges others has renewed itself for a whole lease.
    await expect.poll(() => states(fleet.nodes[0]!), within).toEqual(["ready", "ready", "ready"]);
    await pause(6_500);
  }, 120_000);
  afterEach(async () => {
    await fleet?.close();
    await Promise.all([world?.close(), mcp?.close()]);
  });
  const states = async (node: GatewayNode) => (await node.ask<{ state: string }[]>("nodes")).map(({ state }) => state).sort();
  const nodeOf = (pid: number) => fleet.nodes.find(({ process: child }) => child.pid === pid)!;
  const others = (node: GatewayNode) => fleet.nodes.filter((one) => one !== node);
  const taskStatus = (node: GatewayNode, id: string) => async () => (await node.ask<{ status: string } | null>("taskOf", { id }))?.status;

  it("is noticed when it is killed; its task and its run are ended by another, each once", async () => {
    const first = new Map<string, number>();
    world.task = (body) => {
      const isFirst = !first.has(String(body["key"]));
      first.set(String(body["key"]), Number(body["node"]));
      return isFirst ? new Promise(() => undefined) : { done: true };
    };
    const id = await fleet.nodes[0]!.ask<string>("task", { payload: 1, leaseMs: 4_000 });
    await expect.poll(() => world.tasks.length, within).toBe(1);
    const worker = nodeOf(world.tasks[0]!.node);
    let asked = 0;
    world.model = () => (asked++ === 0 ? new Promise(() => undefined) : { text: "the end" });
    const run = await worker.ask<string>("run", { model: "v/m", input: "go on" });
    await expect.poll(() => world.models.length, within).toBe(1);
    expect(world.models[0]!.node).toBe(worker.process.pid);
    worker.process.kill("SIGKILL");
    const [left] = others(worker);
    const killedAtMs = Date.now();
    await expect.poll(() => states(left!), within).toEqual(["gone", "ready", "ready"]);
    await expect.poll(async () => (await left!.call(`GET /api/v1/runs/${run}`)).json["status"], within).toBe("succeeded");
    // The run's own lease is 30 s: it was taken over because its node was noticed.
    const [load = 0] = loadavg();
    expect(Date.now() - killedAtMs).toBeLessThan(25_000 * Math.max(1, load / (2 * availableParallelism())));
    await expect.poll(taskStatus(left!, id), within).toBe("succeeded");
    expect(world.tasks.map(({ key, attempt }) => ({ key, attempt }))).toEqual([
      { key: world.tasks[0]!.key, attempt: 1 },
      { key: world.tasks[0]!.key, attempt: 2 },
    ]);
    expect(world.models).toHaveLength(2);
  });

  it("can't write with its old leases when it was merely frozen, and is one of them again", async () => {
    let answer: (said: Record<string, unknown>) => void = () => undefined;
    world.task = ({ attempt }) => (attempt === 1 ? new Promise((resolve) => (answer = resolve)) : { by: "the second" });
    const id = await fleet.nodes[0]!.ask<string>("task", { payload: 1, leaseMs: 4_000 });
    await expect.poll(() => world.tasks.length, within).toBe(1);
    const frozen = nodeOf(world.tasks[0]!.node);
    let answerRun: (said: Record<string, unknown>) => void = () => undefined;
    let asked = 0;
    world.model = () => (asked++ === 0 ? new Promise((resolve) => (answerRun = resolve)) : { text: "the second" });
    const run = await frozen.ask<string>("run", { model: "v/m", input: "go on" });
    await expect.poll(() => world.models.length, within).toBe(1);
    frozen.process.kill("SIGSTOP");
    const [left] = others(frozen);
    await expect.poll(() => states(left!), within).toEqual(["gone", "ready", "ready"]);
    await expect.poll(taskStatus(left!, id), within).toBe("succeeded");
    await expect.poll(async () => (await left!.call(`GET /api/v1/runs/${run}`)).json["status"], within).toBe("succeeded");
    // What it was waiting for is there when it wakes.
    answer({ by: "the frozen one" });
    answerRun({ text: "the frozen one" });
    frozen.process.kill("SIGCONT");
    await expect.poll(() => frozen.ask<number>("fenced"), within).toBeGreaterThan(0);
    await expect.poll(() => states(left!), within).toEqual(["ready", "ready", "ready"]);
    expect(await left!.ask("taskOf", { id })).toMatchObject({ status: "succeeded", result: { by: "the second" } });
    expect((await left!.call(`GET /api/v1/runs/${run}`)).json).toMatchObject({ text: "the second" });
  });

  it("leaves its MCP sessions to the others", async () => {
    const owner = { authorization: `Bearer ${OWNER_KEY}` };
    const [first, second, third] = fleet.nodes as [GatewayNode, GatewayNode, GatewayNode];
    const client = await McpClient.open(first.call, owner);
    const stream = await client.listen(first.url);
    expect((await client.request("resources/subscribe", { uri: "sallyport:story/story://one" })).json).toMatchObject({ result: {} });
    first.process.kill("SIGKILL");
    await expect.poll(() => stream.isOpen(), within).toBe(false);
    // It goes on elsewhere, with what it watched.
    const again = await client.listen(second.url);
    expect((await client.at(third.call).request("tools/list")).text).toContain("story__pay");
    // Its node may not know yet who watches what.
    const heard = async () => {
      for (let each = 0; each < mcp.connections; each++) await mcp.touch(each).catch(() => undefined);
      return again.said("resources/updated").length;
    };
    await expect.poll(heard, { ...within, interval: 500 }).toBeGreaterThan(0);
    await again.close();
  });

  it("loses nothing when it is told to end under load", async () => {
    world.model = async () => {
      await pause(100);
      return { text: "hello" };
    };
    world.task = async () => {
      await pause(150);
      return { done: true };
    };
    const [ending, ...rest] = fleet.nodes as [GatewayNode, ...GatewayNode[]];
    const tasks = await Promise.all(Array.from({ length: 60 }, (_, i) => fleet.nodes[i % 3]!.ask<string>("task", { payload: i })));
    // Clients that send where `/ready` still says so: what a balancer does.
    let up = true;
    const load = Array.from({ length: 12 }, async (_, i) => {
      const statuses: number[] = [];
      for (let n = 0; n < 20; n++) {
        const node = up && i % 3 === 0 ? ending : rest[n % 2]!;
        statuses.push((await node.call("POST /v1/chat/completions", chat(`${i} ${n}`))).status);
      }
      return statuses;
    });
    await pause(500);
    up = false;
    ending.process.kill("SIGTERM");
    expect(new Set((await Promise.all(load)).flat())).toEqual(new Set([200]));
    expect(await ending.ended).toBe(0);
    const statusOf = async () => new Set(await Promise.all(tasks.map((id) => taskStatus(rest[0]!, id)())));
    await expect.poll(statusOf, within).toEqual(new Set(["succeeded"]));
    // It went in order: nobody had to find it.
    await expect.poll(() => states(rest[0]!), within).toEqual(["ready", "ready"]);
    // Every call that was answered is in the ledger, those of the node that ended too.
    const counted = async () => (await rest[0]!.call("GET /api/v1/usage/summary")).json["calls"];
    await expect.poll(counted, within).toBe(12 * 20);
  });
});
