import { describe, expect, it } from "vitest";
import { lies, notice } from "@sallyport/adapter-kit";
import { proxyHarness } from "../proxy-harness.js";
import { liedTo, lyingServer, type Transport } from "./lied-to.js";

const transports: readonly Transport[] = ["http", "stdio"];
const named = (lied: Awaited<ReturnType<typeof liedTo>>, server: string) =>
  lied.harness.proxy.tools().then((tools) => tools.filter((tool) => tool.server === server).map((tool) => tool.tool));
const object = { type: "object" };

describe.each(transports)("a list over %s", (transport) => {
  it("without an end is read up to a limit, and the other servers are there (F71)", async () => {
    const lied = await liedTo(transport, { lie: lies.endlessPages, harness: { limits: { startMs: 20_000 } } });
    expect((await named(lied, "liar")).length).toBeLessThanOrEqual(500);
    expect(lied.liar.count("tools/list")).toBeLessThanOrEqual(500);
    expect(await named(lied, "honest")).toEqual(["ok", "effect"]);
    expect(lied.harness.logged.some(({ fields }) => String(fields["why"]).includes("past 500 pages"))).toBe(true);
  });

  it("that goes in a circle ends (F71)", async () => {
    const lied = await liedTo(transport, { lie: lies.circlingPages });
    expect(await named(lied, "liar")).toEqual(["ok"]);
    expect(lied.liar.count("tools/list")).toBe(2);
  });

  it("that changes a thousand times a second is read once in it (F73)", async () => {
    const lied = await liedTo(transport);
    const before = lied.liar.count("tools/list");
    if (transport === "http") await expect.poll(() => lied.liar.standing).toBeGreaterThan(0);
    for (let i = 0; i < 1_000; i++) lied.liar.tell(notice("notifications/tools/list_changed"));
    await expect.poll(() => lied.liar.count("tools/list")).toBeGreaterThan(before);
    expect(await lied.call("liar__ok")).toBe("fine");
    // Once, and again for each second that the thousand took to arrive.
    expect(lied.liar.count("tools/list") - before).toBeLessThan(20);
  });
});

describe("the schemas of a server that means harm", () => {
  const nested = (depth: number, key: string) => `${`{"type":"object","${key}":{"a":`.repeat(depth)}{}${"}}".repeat(depth)}`;
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`p${i}`, {}]));
  const hostile: Record<string, object> = {
    pattern: { type: "object", properties: { a: { type: "string", pattern: "^(a+)+$" } } },
    many: { type: "object", properties: many },
    properties: JSON.parse(nested(40, "properties")) as object,
    definitions: JSON.parse(nested(40, "$defs")) as object,
    circular: { type: "object", $ref: "#", allOf: [{ $ref: "#" }] },
  };

  it("stop nobody: what can't be used is left out, the rest is served, and nothing is fetched (T18)", async () => {
    const fetched = await lyingServer({ era: "legacy" });
    const remote = { type: "object", properties: { a: { $ref: fetched.url }, b: { $ref: "file:///etc/passwd" } } };
    const schemas = { ok: object, remote, ...hostile };
    const lied = await liedTo("http", { tools: Object.entries(schemas).map(([name, inputSchema]) => ({ name, inputSchema })) });
    expect(await named(lied, "liar")).toEqual(Object.keys(schemas).filter((name) => name !== "many"));
    expect(await lied.call("liar__ok")).toBe("fine");
    expect(await lied.call("liar__remote", { a: "x" })).toBe("fine");
    expect(await lied.call("liar__pattern", { a: `${"a".repeat(40)}!` })).toBe("fine");
    expect(fetched.asked).toEqual([]);
    expect(await named(lied, "honest")).toEqual(["ok", "effect"]);
    expect(lied.harness.problems).toEqual([]);
  });

  it.each([...transports.flatMap((transport) => ["properties", "$defs", "allOf"].map((key) => [transport, key] as const))])(
    "over %s that nest thousands deep in %s cost that one tool, which is said, and no other (T18)",
    async (transport, key) => {
      const one = (tool: string, schema: string) => `{"name":"${tool}","inputSchema":${schema}}`;
      const tools = [
        one("ok", '{"type":"object"}'),
        one("deep", nested(5_000, key)),
        one("deeper", nested(64, key)),
        one("effect", nested(60, key)),
      ];
      const lied = await liedTo(transport, {
        lie: (asked, say) => {
          if (asked.method !== "tools/list") return false;
          return void say.send(`{"jsonrpc":"2.0","id":${asked.id},"result":{"tools":[${tools.join()}]}}`);
        },
        harness: { listen: ["server.left_out"] },
      });
      expect(await named(lied, "liar")).toEqual(["ok", "effect"]);
      const why = ["deep: nested deeper than 128 levels", "deeper: nested deeper than 128 levels"];
      expect(lied.harness.heard).toEqual([{ server: "liar", list: "tools", count: 2, why }]);
      expect(lied.harness.proxy.status().find(({ name }) => name === "liar")).toMatchObject({
        connected: true,
        lastError: expect.stringContaining("deep: nested deeper than 128 levels") as unknown,
      });
      expect(await lied.call("liar__ok")).toBe("fine");
      await expect(lied.call("liar__deep")).rejects.toMatchObject({ code: "tool_not_found" });
      expect(await lied.call("honest__ok")).toBe("fine");
      expect(lied.harness.problems).toEqual([]);
    },
  );

  it.each(transports)("answers over %s that are nested too deeply are refused at once, unless they are lists", async (transport) => {
    const lied = await liedTo(transport, {
      lie: (asked, say) => {
        if (asked.method !== "tools/call") return false;
        return void say.send(`{"jsonrpc":"2.0","id":${asked.id},"result":{"content":[],"_meta":${nested(5_000, "a")}}}`);
      },
    });
    await expect(lied.call("liar__ok")).rejects.toMatchObject({ code: "upstream_protocol" });
  });
});

describe("twenty servers", () => {
  it("of which one hangs and one is slow are listed without those two (F72)", async () => {
    const servers = await Promise.all(Array.from({ length: 20 }, () => lyingServer({ era: "legacy" })));
    servers[3]!.lie = () => undefined;
    servers[7]!.lie = (asked) => (asked.method === "tools/list" ? undefined : false);
    const harness = proxyHarness({
      config: { mcpServers: Object.fromEntries(servers.map(({ url }, i) => [`s${i}`, { url }])) },
      limits: { startMs: 2_000, connectMs: 4_000, listMs: 4_000 },
    });
    await harness.proxy.start();
    const healthy = Array.from({ length: 20 }, (_, i) => i).filter((i) => i !== 3 && i !== 7);
    await expect
      .poll(async () => new Set((await harness.proxy.tools()).map(({ server }) => server)))
      .toEqual(new Set(healthy.map((i) => `s${i}`)));
    await Promise.all(healthy.map(async (i) => expect(await harness.proxy.call(`s${i}__ok`)).toMatchObject({ isError: false })));
    expect(harness.proxy.status().find(({ name }) => name === "s3")).toMatchObject({ connected: false });
  });

  it("with tools of one name are each called by their own (F74)", async () => {
    const servers = await Promise.all(Array.from({ length: 5 }, () => lyingServer({ era: "legacy" })));
    const harness = proxyHarness({ config: { mcpServers: Object.fromEntries(servers.map(({ url }, i) => [`s${i}`, { url }])) } });
    await harness.proxy.start();
    for (const i of servers.keys()) await harness.proxy.call(`s${i}__effect`, { key: `k${i}` });
    expect(servers.map(({ effects }) => [...effects])).toEqual(servers.map((_, i) => [[`k${i}`, 1]]));
  });
});
