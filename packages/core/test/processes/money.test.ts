import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { allEntities, budget } from "../../src/entities/index.js";
import { GroupCommit } from "../../src/policy/group-commit.js";
import { Money } from "../../src/policy/money/money.js";
import { insert, type RecordStore } from "../../src/ports/index.js";
import { EventHub } from "../../src/seams/index.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { budgetRow, scope, seen, TOKEN, within } from "../money/harness.js";
import { bundled, startChild, type Child } from "./child-bundle.js";
import type { MoneyWorkerOptions } from "./money-worker.js";

const OWNER = "sallyport-testing-owner-7b1f93c2e08d4a65";
let file: string;
beforeAll(async () => void (file = await bundled("money-worker.ts")));
afterAll(() => rmSync(file, { force: true }));

let folder: string;
let store: RecordStore;
const children: Child[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-money-"));
  store = await sqlite(join(folder, "money.db")).open({ entities: allEntities });
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.process.kill("SIGKILL");
    await child.ended;
  }
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function worker(answerMs: number): Promise<{ readonly child: Child; readonly url: string }> {
  const options: MoneyWorkerOptions = { database: join(folder, "money.db"), ownerKey: OWNER, answerMs };
  const child = startChild(file, options);
  children.push(child);
  return { child, url: (await child.said("serving ")).slice("serving ".length) };
}

/** Asks, and tells when the first of an answer is there. */
async function ask(url: string, o: { readonly stream: boolean; readonly id: string }): Promise<"begun" | "refused" | "gone"> {
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${OWNER}`, "content-type": "application/json", "x-request-id": o.id },
      body: JSON.stringify({ model: "v/m", messages: [{ role: "user", content: "hi" }], max_tokens: 10, stream: o.stream }),
    });
    const { value } = await response.body!.getReader().read();
    if (value === undefined) return "gone";
    return response.status === 200 ? "begun" : "refused";
  } catch {
    return "gone";
  }
}

/** What any process does with what another left: the lease is over at once. */
async function reconcile(): Promise<number> {
  const events = new EventHub();
  const clock = new FakeClock(Date.now());
  const ledger = new GroupCommit({ store, clock, onError: () => undefined });
  const money = new Money({ store, clock, events, ledger, nodeId: "node_1", durable: true });
  let settled = 0;
  // Leases are of the store's clock: it is the rows that are made old.
  await expire();
  settled += await money.look();
  return settled;
}

async function expire(): Promise<void> {
  const { reservation, openCalls } = await import("../../src/entities/index.js");
  for (const entity of [reservation, openCalls])
    await store.take(
      entity as typeof reservation,
      { where: {}, orderBy: ["id"], limit: 1_000, change: { set: { expiresAtMs: 1 } } },
      within(),
    );
}

describe("a gateway that is killed (P7, F56, G17)", () => {
  it.each([
    { stream: true, budgets: true },
    { stream: false, budgets: true },
    { stream: true, budgets: false },
    { stream: false, budgets: false },
  ])("has one usage row for every call that had begun to answer (streamed: $stream, budgets: $budgets)", async ({ stream, budgets }) => {
    if (budgets) await store.commit([{ scope, writes: [insert(budget, budgetRow({ amountUsd: "100" }))] }], within());
    const { child, url } = await worker(stream ? 10_000 : 30);
    const asked = Array.from({ length: 40 }, (_, i) => ({ stream, id: `req-${i}` }));
    const answers: Promise<"begun" | "refused" | "gone">[] = [];
    for (const one of asked) {
      answers.push(ask(url, one));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    // Some of the whole answers are there, some not; of the streams a word each.
    await answers[stream ? 39 : 10];
    child.process.kill("SIGKILL");
    await child.ended;
    const begun = (await Promise.all(answers)).flatMap((answer, i) => (answer === "begun" ? [asked[i]!.id] : []));
    expect(begun.length).toBeGreaterThan(5);
    await reconcile();
    const { rows, reservations, open, windows } = seen(store);
    const written = await rows();
    const ids = written.map(({ requestId }) => requestId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of begun) expect(ids).toContain(id);
    expect(await reservations()).toEqual([]);
    expect(await open()).toEqual([]);
    if (stream) {
      expect(written).toHaveLength(40);
      expect(written.every(({ estimated, partial }) => estimated && partial)).toBe(true);
    }
    if (!budgets) return;
    const [window] = await windows();
    const sum = written.reduce((total, { costNanoUsd }) => total + (costNanoUsd ?? 0), 0);
    expect(window).toMatchObject({ reservedNanoUsd: 0, spentNanoUsd: sum, leftNanoUsd: 100_000 * TOKEN - sum });
    // Whoever looks again finds nothing.
    expect(await reconcile()).toBe(0);
    expect(await rows()).toHaveLength(written.length);
  });

  it("and started again settles what it left by itself, once", async () => {
    const { child, url } = await worker(10_000);
    expect(await ask(url, { stream: true, id: "req-1" })).toBe("begun");
    child.process.kill("SIGKILL");
    await child.ended;
    await expire();
    const others = [reconcile(), reconcile(), reconcile()];
    expect((await Promise.all(others)).reduce((sum, n) => sum + n, 0)).toBe(1);
    expect(await seen(store).rows()).toMatchObject([{ requestId: "req-1", estimated: true, costNanoUsd: null }]);
  });
});
