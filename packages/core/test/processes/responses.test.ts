import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { SYSTEM_CALLER } from "../../src/calls/index.js";
import { allEntities } from "../../src/entities/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryWakeup } from "../../src/memory/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { clock } from "../../src/platform/system-clock.js";
import type { RecordStore } from "../../src/ports/index.js";
import { StoredResponses } from "../../src/routing/stored-responses/stored-responses.js";
import { createSeams, EventHub } from "../../src/seams/index.js";
import { Log } from "../../src/util/log.js";
import { parseSse } from "../../src/util/sse.js";
import { bundled, startChild, type Child } from "./child-bundle.js";
import { Redactor } from "../../src/secrets/redactor.js";

/** Long enough for a process that waits for a processor to renew it. */
const LEASE_MS = 4_000;
let workerFile: string;
beforeAll(async () => {
  workerFile = await bundled("responses-worker.ts");
});
afterAll(() => rmSync(workerFile, { force: true }));

let folder: string;
let store: RecordStore;
/** Another process's: it makes nothing itself. */
let responses: StoredResponses;
let child: Child;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-responses-"));
  store = await sqlite(join(folder, "responses.db")).open({ entities: allEntities });
  const ports = {
    store,
    clock,
    crypto,
    wakeup: memoryWakeup(),
    bus: memoryBus(),
    cache: memoryCache(),
    counters: memoryCounters(),
    redactor: new Redactor(),
  };
  const log = new Log("silent", () => undefined);
  responses = new StoredResponses({ ...ports, log, events: new EventHub(), seams: createSeams(), nodeId: "reader" });
  child = startChild(workerFile, { database: join(folder, "responses.db"), leaseMs: LEASE_MS });
});
afterEach(async () => {
  child.process.kill("SIGKILL");
  await child.ended;
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const created = async () => (await child.said("created ")).slice("created ".length);
const read = async (id: string) => JSON.parse(new TextDecoder().decode(await responses.get(id, SYSTEM_CALLER))) as Record<string, unknown>;
/** Reads on from another process; `seen` is called with each event's type. */
async function events(id: string, seen: (type: string) => void): Promise<Record<string, unknown>[]> {
  const signal = new AbortController().signal;
  const all: Record<string, unknown>[] = [];
  for await (const chunk of await responses.events(id, { caller: SYSTEM_CALLER, after: -1, signal }))
    for (const { event, data } of parseSse(new TextDecoder().decode(chunk))) {
      all.push(JSON.parse(data) as Record<string, unknown>);
      seen(event);
    }
  return all;
}

it("a response whose process is killed reads as failed, and whoever reads its stream is told: nobody waits for ever", async () => {
  const id = await created();
  const told = await events(id, (type) => type === "response.output_text.delta" && child.process.kill("SIGKILL"));
  expect(told.map(({ type }) => type)).toEqual(["response.created", "response.output_text.delta", "response.failed"]);
  expect(await read(id)).toMatchObject({
    id,
    status: "failed",
    error: { code: "server_error", message: expect.stringContaining("ended") as string },
  });
});

it("a response is cancelled from another process, and the one that makes it stops", async () => {
  const id = await created();
  const reading = events(id, (type) => type === "response.output_text.delta" && void responses.cancel(id, SYSTEM_CALLER));
  await child.said("aborted");
  expect((await reading).at(-1)).toMatchObject({ type: "response.cancelled" });
  expect(await read(id)).toMatchObject({ status: "cancelled" });
});

it("a response whose process lives outlives its first lease", async () => {
  const id = await created();
  const row = await store.now({ deadlineMs: Date.now() + 5_000 });
  while ((await store.now({ deadlineMs: Date.now() + 5_000 })) < row + 2 * LEASE_MS)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await read(id)).toMatchObject({ status: "in_progress" });
});
