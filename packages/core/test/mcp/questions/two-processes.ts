import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { onTestFinished } from "vitest";
import { allEntities, node, parkedCall, usedRequestState } from "../../../src/entities/index.js";
import type { McpServerInput } from "../../../src/mcp/index.js";
import { crypto } from "../../../src/platform/node.js";
import { insert, update } from "../../../src/ports/index.js";
import { hosted, proxyHarness } from "../proxy-harness.js";

const SCOPE = { system: "a test" };
const within = () => ({ deadlineMs: Date.now() + 10_000 });

/** Two processes of one gateway, on one SQLite file, before one server that is called `asking`. */
export async function twoProcesses(server: McpServerInput) {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-parked-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const secret = crypto.random(32);
  const nodes = await Promise.all(
    ["node_a", "node_b"].map(async (id) => {
      const store = await sqlite(join(folder, "shared.db")).open({ entities: allEntities });
      onTestFinished(() => store.close());
      const row = {
        ...{ id, state: "ready" as const, release: "1", label: id, startedAtMs: 1, leaseUntilMs: 9e12, attempt: 1 },
        offers: { tasks: [], servers: [] },
      };
      await store.commit([{ scope: SCOPE, writes: [insert(node, row)] }], within());
      const harness = proxyHarness({ store, node: { id, secret } });
      await harness.proxy.connect("asking", server);
      return { harness, store, url: (await hosted(harness)).url };
    }),
  );
  const [a, b] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  const rows = async () => (await b.store.find(parkedCall, { orderBy: "id", limit: 10 }, SCOPE, within())).rows;
  const used = async () => (await b.store.find(usedRequestState, { orderBy: "id", limit: 10 }, SCOPE, within())).rows;
  const dies = (id: string) =>
    b.store.commit([{ scope: SCOPE, writes: [update(node, id, { change: { set: { leaseUntilMs: 1 } } })] }], within());
  return { a, b, rows, used, dies };
}
