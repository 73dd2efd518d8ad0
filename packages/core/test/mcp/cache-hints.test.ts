import { expect, it } from "vitest";
import { hosted, modern, post, proxyHarness, type Hosted } from "./proxy-harness.js";
import { listedServer, tool, type Definition } from "./servers/listed-server.js";

interface Listed {
  readonly ttlMs?: number;
  readonly cacheScope?: string;
  readonly tools?: readonly Definition[];
}
const list = async (host: Hosted, namespace: string, method = "tools/list"): Promise<Listed> => {
  const { message, headers } = modern(method);
  return (await post(host.namespace(namespace), message, headers)).json()["result"] as Listed;
};

async function three() {
  const of = (servers: readonly string[]) => ({ servers: [...servers] });
  const namespaces = { long: of(["long"]), both: of(["long", "short"]), old: of(["long", "old"]), away: of(["long", "gone"]) };
  const harness = proxyHarness({ config: { mcpServers: {}, namespaces } });
  await harness.proxy.connect("long", { server: listedServer([tool("a")], { ttlMs: 600_000 }).server });
  await harness.proxy.connect("short", { server: listedServer([tool("b")], { ttlMs: 60_000, prompts: ["p"] }).server });
  await harness.proxy.connect("old", { server: listedServer([tool("c")]).server });
  return { harness, host: await hosted(harness) };
}

it("a list may be kept as long as the server that lets it be kept shortest says, by its caller alone (T04)", async () => {
  const { host } = await three();
  const long = await list(host, "long");
  // From what its server said the time is taken off since it was read.
  expect(long.ttlMs).toBeGreaterThan(60_000);
  expect(long.ttlMs).toBeLessThanOrEqual(600_000);
  const both = await list(host, "both");
  expect(both.ttlMs).toBeGreaterThan(0);
  expect(both.ttlMs).toBeLessThanOrEqual(60_000);
  // A server without prompts does not keep the others' from being kept.
  expect((await list(host, "both", "prompts/list")).ttlMs).toBeGreaterThan(0);
  // One that says nothing, as none did before 2026-07-28, lets nothing be kept.
  expect(await list(host, "old")).toMatchObject({ ttlMs: 0 });
  // What is in a list depends on grants: nobody else may be served from what one caller kept (T04).
  for (const namespace of ["long", "both", "old"]) expect((await list(host, namespace)).cacheScope).toBe("private");
});

it("a server that could not be read yet lets nothing be kept: its tools may come at any time", async () => {
  const { harness, host } = await three();
  const broken = { connect: () => Promise.reject(new Error("down")) };
  await expect(harness.proxy.connect("gone", { server: broken })).rejects.toThrow();
  expect(await list(host, "away")).toMatchObject({ ttlMs: 0, tools: [{ name: "long__a" }] });
});

it("a list whose time is over is read again, and what its server says wrongly of time counts as nothing", async () => {
  const namespaces = { n: { servers: ["brief"] }, odd: { servers: ["odd"] } };
  const harness = proxyHarness({ config: { mcpServers: {}, namespaces } });
  const brief = listedServer([tool("a")], { ttlMs: 1 });
  await harness.proxy.connect("brief", { server: brief.server });
  await harness.proxy.connect("odd", { server: listedServer([tool("a")], { ttlMs: -5.5 }).server });
  const host = await hosted(harness);
  brief.listQuietly([tool("a"), tool("b")]);
  await expect
    .poll(async () => (await list(host, "n")).tools?.map(({ name }) => name), { timeout: 60_000, interval: 50 })
    .toEqual(["brief__a", "brief__b"]);
  expect(await list(host, "odd")).toMatchObject({ ttlMs: 0 });
});
