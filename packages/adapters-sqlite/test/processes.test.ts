import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { allEntities, auditEntry, gatewayKey, plainKey, runEvent } from "@sallyport/core/entities";
import { append, insert, update } from "@sallyport/core/ports";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";

const workerFile = fileURLToPath(new URL("./worker.mjs", import.meta.url));
const scope = { projects: ["p1"] };
const within = () => ({ deadlineMs: Date.now() + 30_000 });

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-processes-"));
  path = join(folder, "shared.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that works on the file; its lines as they come. */
function worker(order: { doing: "insert" | "count"; name: string; count: number }) {
  const child = spawn(process.execPath, [workerFile, JSON.stringify({ path, ...order })], { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const reader = createInterface({ input: child.stdout });
  let look = (): void => undefined;
  reader.on("line", (line) => {
    lines.push(line);
    look();
  });
  const ended = once(child, "close");
  return {
    lines,
    /** Resolves once it said this many lines. */
    said: (count: number) =>
      new Promise<void>((resolve, reject) => {
        look = () => {
          if (lines.length >= count) resolve();
        };
        look();
        void ended.then(() => (lines.length >= count ? resolve() : reject(new Error(`The worker ended early: ${errors}`))));
      }),
    ended: ended.then(([code]) => ({ code: code as number | null, errors })),
    kill: () => child.kill("SIGKILL"),
  };
}

describe("one file, several processes", () => {
  it("loses no addition and leaves no gap in a stream when three processes write at once", async () => {
    const store = await sqlite(path).open({ entities: allEntities });
    const key = {
      id: "key",
      name: "k",
      kind: "key" as const,
      digest: "d".repeat(64),
      projectId: "p1",
      scopes: [],
      enabled: true,
      lastUsedAtMs: null,
    };
    await store.commit([{ scope, writes: [insert(gatewayKey, { ...plainKey, ...key, expiresAtMs: 0 })] }], within());
    const workers = ["a", "b"].map((name) => worker({ doing: "count", name, count: 150 }));
    await Promise.all(workers.map((one) => one.said(1)));
    for (let i = 0; i < 150; i++) {
      const results = await store.commit(
        [
          { scope, writes: [update(gatewayKey, "key", { change: { add: { expiresAtMs: 1 } } })] },
          { scope, writes: [append(runEvent, "stream", { entries: [{ projectId: "p1", event: { name: "parent", i } }] })] },
        ],
        within(),
      );
      expect(results.every((result) => result.ok)).toBe(true);
    }
    for (const one of workers) expect(await one.ended).toEqual({ code: 0, errors: "" });
    expect((await store.get(gatewayKey, "key", scope, within()))?.expiresAtMs).toBe(450);
    const entries = await store.read(runEvent, "stream", { afterSeq: 0, limit: 1000 }, scope, within());
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 450 }, (_, i) => i + 1));
    for (const name of ["a", "b", "parent"]) {
      const own = entries.map(({ entry }) => entry.event as { name: string; i: number }).filter((event) => event.name === name);
      expect(own.map(({ i }) => i)).toEqual(Array.from({ length: 150 }, (_, i) => i));
    }
    await store.close();
  });

  it("migrates once when several processes open a new file at the same time", async () => {
    const workers = ["a", "b", "c"].map((name) => worker({ doing: "count", name, count: 0 }));
    for (const one of workers) expect(await one.ended).toEqual({ code: 0, errors: "" });
    expect((await sqlite(path).migrationState()).pending).toEqual([]);
  });
});

describe("a process that is killed while it writes", () => {
  it("loses nothing that was acknowledged, and leaves the file whole", async () => {
    for (const [round, acknowledged] of [20, 200, 77].entries()) {
      const one = worker({ doing: "insert", name: `r${round}`, count: 0 });
      await one.said(acknowledged);
      one.kill();
      await one.ended;
      const last = Number(one.lines.at(-1));
      expect(last).toBeGreaterThanOrEqual(acknowledged - 2);
      const store = await sqlite(path).open({ entities: allEntities });
      const [sum] = await store.sum(auditEntry, { where: { callerId: `r${round}` }, by: [], sum: [] }, scope, within());
      // The one that was under way may have been kept too.
      expect([last + 1, last + 2]).toContain(sum?.count);
      expect(await store.get(auditEntry, `r${round}_${last}`, scope, within())).not.toBeNull();
      await store.close();
      const db = new Database(path);
      expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
      db.close();
    }
  });
});
