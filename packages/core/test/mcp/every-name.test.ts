import fc from "fast-check";
import { expect, it } from "vitest";
import type { ConfigInput } from "../../src/config/schema.js";
import { hosted, post, proxyHarness } from "./proxy-harness.js";
import { listedServer, tool } from "./servers/listed-server.js";

const rpc = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
const servers = ["a", "a-b", "b"];
/** Names that servers give tools so that they are taken for others. */
const piece = fc.constantFrom("x", "y", "__", "a__", "b__x", ".", "é", "-xaaaaaaaaaaaaaaaaaaaa", "z".repeat(60));
const near = fc.constantFrom("x", "y", "b__x", "b__y", "a__x", "a-b__x");
const name = fc.oneof(
  { weight: 3, arbitrary: near },
  fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join("")),
);
const tools = fc.uniqueArray(name, { maxLength: 5 });
const namespaces: NonNullable<ConfigInput["namespaces"]> = {
  prefix: { servers },
  merged: { servers, naming: "none" },
  first: { servers, naming: "none", conflicts: "priority" },
  one: { servers: ["a"], naming: "none" },
};

async function list(url: URL): Promise<readonly string[]> {
  const result = (await post(url, rpc("tools/list"))).json()["result"] as { readonly tools: readonly { readonly name: string }[] };
  return result.tools.map((one) => one.name);
}

it("in every view each name is shown once, stays the same when it is listed again, and leads to its tool and to no other", async () => {
  const harness = proxyHarness({ config: { mcpServers: {}, namespaces } });
  const host = await hosted(harness);
  const urls = [host.url, ...Object.keys(namespaces).map((namespace) => host.namespace(namespace))];
  await fc.assert(
    fc.asyncProperty(fc.tuple(tools, tools, tools), async (lists) => {
      const called: string[] = [];
      for (const [i, server] of servers.entries()) {
        const listed = lists[i]!.map((one) => tool(one));
        const made = listedServer(listed, { answer: (one) => (called.push(`${server}\n${one}`), { content: [] }) });
        await harness.proxy.connect(server, { server: made.server });
      }
      for (const url of urls) {
        const shown = await list(url);
        expect(new Set(shown).size).toBe(shown.length);
        called.length = 0;
        for (const one of shown) await post(url, rpc("tools/call", { name: one, arguments: {} }));
        expect(called).toHaveLength(shown.length);
        expect(new Set(called).size).toBe(shown.length);
        expect(await list(url)).toEqual(shown);
      }
      const all = lists.reduce((sum, one) => sum + one.length, 0);
      expect(await list(host.url)).toHaveLength(all);
      expect(await list(host.namespace("merged"))).toHaveLength(all);
      for (const server of servers) await harness.proxy.disconnect(server);
    }),
    { numRuns: 25 },
  );
});
