import { createHash } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ModelCall, ModelEvent, VideoJob } from "../../../src/calls/index.js";
import { usageEntry, vendorObject } from "../../../src/entities/index.js";
import { memoryStore } from "../../../src/memory/index.js";
import type { RecordStore } from "../../../src/ports/index.js";
import { createTestGateway, FakeClock, TEST_OWNER_KEY } from "../../../src/testing/index.js";
import { unclosable } from "../../money/harness.js";
import { ofAnotherClock } from "./of-another-clock.js";

const scope = { system: "test" };
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const LEASE_MS = 30_000;
const patient = { timeout: 30_000, interval: 5 };

/** What a vendor was asked, and how it is answered: by the test, at its time. */
interface Asked<T> {
  readonly text: string;
  readonly signal: AbortSignal;
  readonly answer: (value: T) => void;
}

/** One process: its clock is its own, so that it stands still while that of the other, and of the store, goes on. */
interface Node {
  readonly clock: FakeClock;
  readonly chats: Asked<string>[];
  readonly films: Asked<VideoJob>[];
  readonly polls: Asked<VideoJob>[];
  /** Whether each of its writes of a kind was kept, in the order of its commits. */
  kept(entity: string): boolean[];
  ask(target: string, body?: object): Promise<{ readonly status: number; readonly text: string; readonly json: Record<string, unknown> }>;
  close(): Promise<void>;
  /** Its work goes on, until this holds. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>;
}

async function* chat(call: ModelCall, signal: AbortSignal, asked: Asked<string>[]): AsyncGenerator<ModelEvent> {
  const [part] = call.messages.at(-1)?.content ?? [];
  yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
  yield { type: "text-start", index: 0, block: 0 };
  yield { type: "text-delta", index: 0, block: 0, text: "it is " };
  const text = await answered(asked, { text: (part as { text: string }).text, signal });
  yield { type: "text-delta", index: 0, block: 0, text };
  yield { type: "text-end", index: 0, block: 0 };
  yield { type: "finish", index: 0, reason: "stop" };
}

function answered<T>(all: Asked<T>[], asked: Pick<Asked<T>, "text" | "signal">): Promise<T> {
  return new Promise((resolve) => all.push({ ...asked, answer: resolve }));
}

/** Whether what a process wrote of a kind was kept. */
function watched(store: RecordStore) {
  const all: { readonly entity: string; readonly ok: boolean }[] = [];
  const own = ofAnotherClock(unclosable(store));
  const seen = new Proxy(own, {
    get: (target, name) => {
      if (name !== "commit") return Reflect.get(target, name) as unknown;
      return async (...[units, w]: Parameters<RecordStore["commit"]>) => {
        const results = await own.commit(units, w);
        units.forEach(({ writes }, i) => {
          for (const write of writes) all.push({ entity: "log" in write ? write.log.name : write.entity.name, ok: results[i]!.ok });
        });
        return results;
      };
    },
  });
  return { seen, kept: (entity: string) => all.filter((one) => one.entity === entity).map(({ ok }) => ok) };
}

async function node(store: RecordStore, clock: FakeClock): Promise<Node> {
  const { seen, kept } = watched(store);
  const gateway = await createTestGateway({
    ...{ clock, storage: { name: "shared", open: () => Promise.resolve(seen) } },
    secret: createHash("sha256").update("fenced jobs").digest(),
  });
  const close = async (): Promise<void> => {
    let isOpen = true;
    const closed = gateway.close({ graceMs: 0 }).finally(() => (isOpen = false));
    while (isOpen) await clock.advance(1);
    await closed;
  };
  onTestFinished(close);
  const [chats, films, polls]: [Asked<string>[], Asked<VideoJob>[], Asked<VideoJob>[]] = [[], [], []];
  gateway.providers.add({
    name: "v",
    models: [{ code: "m" }, { code: "camera", kind: "video" }],
    answer: (call, { signal }) => chat(call, signal, chats),
    operations: {
      video: (call, { signal }) => answered(films, { text: call.prompt, signal }),
      videos: { poll: (ref, { signal }) => answered(polls, { text: ref, signal }) },
    },
  });
  return {
    ...{ clock, chats, films, polls, kept, close },
    ask: async (target, body) => {
      const [method, path] = target.split(" ") as [string, string];
      const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const response = await gateway.fetch(new Request(`http://localhost${path}`, init));
      const text = await response.text();
      return { status: response.status, text, json: text.startsWith("{") && !text.includes("\n{") ? JSON.parse(text) : {} };
    },
    until: (holds) =>
      expect
        .poll(async () => {
          await clock.advance(1);
          return holds();
        }, patient)
        .toBe(true),
  };
}

/** One that will be frozen, and the store, whose clock goes on. */
async function alone() {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const frozen = await node(store, new FakeClock(clock.now()));
  const rowOf = async (id: string) => (await store.get(vendorObject, id, scope, within))!;
  return { store, clock, frozen, rowOf };
}

/** Beside it one that goes on, with the store's clock. */
async function pair() {
  const one = await alone();
  return { ...one, other: await node(one.store, one.clock) };
}

describe("a process that was frozen past its lease", () => {
  const requests = ["r1", "r2"].map((id) => ({
    custom_id: id,
    params: { model: "v/m", max_tokens: 10, messages: [{ role: "user", content: id }] },
  }));
  async function batch() {
    const { frozen, other, ...more } = await pair();
    const made = await frozen.ask("POST /v1/messages/batches", { requests });
    expect([made.status, made.text]).toMatchObject([200, expect.any(String)]);
    const id = made.json["id"] as string;
    await frozen.until(() => frozen.chats.length === 2);
    await other.clock.advance(LEASE_MS + 6_000);
    await other.until(() => other.chats.length === 2);
    const results = async () => (await other.ask(`GET /v1/messages/batches/${id}/results`)).text.trim().split("\n");
    const end = async () => {
      for (const { text, answer } of other.chats) answer(`the other's ${text}`);
      await other.until(async () => (await more.rowOf(id)).status === "succeeded");
    };
    return { frozen, other, id, results, end, ...more };
  }

  it("adds nothing to a batch that another works off, and does not end it", async () => {
    const { frozen, other, id, rowOf, results, end } = await batch();
    for (const { text, answer } of frozen.chats) answer(`the frozen one's ${text}`);
    await frozen.until(() => frozen.kept("batchLine").length === 2);
    expect(frozen.kept("batchLine")).toEqual([false, false]);
    expect(await rowOf(id)).toMatchObject({ status: "running", attempt: 2, completed: 0, failed: 0 });
    await end();
    expect(await rowOf(id)).toMatchObject({ attempt: 2, total: 2, completed: 2, failed: 0 });
    const lines = await results();
    expect(lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id).sort()).toEqual(["r1", "r2"]);
    expect(lines.join()).not.toContain("frozen");
    expect(other.chats).toHaveLength(2);
  });

  it("hears at its next look that a batch is another's, ends its calls, and takes no lease away", async () => {
    const { frozen, other, id, rowOf, end } = await batch();
    const { readyAtMs } = await rowOf(id);
    await frozen.clock.advance(10_000);
    await frozen.until(() => frozen.chats.every(({ signal }) => signal.aborted));
    expect(other.chats.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    expect(await rowOf(id)).toMatchObject({ attempt: 2, readyAtMs, status: "running" });
    await end();
  });

  it("gives nothing back that another holds when it is closed", async () => {
    const { frozen, other, id, rowOf, end } = await batch();
    const { readyAtMs } = await rowOf(id);
    await frozen.close();
    expect(frozen.chats.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    expect(await rowOf(id)).toMatchObject({ attempt: 2, readyAtMs, status: "running" });
    await end();
    expect(other.chats).toHaveLength(2);
  });

  it("writes of a film nothing that it heard before another asked after it", async () => {
    const { frozen, other, store, rowOf } = await pair();
    const begun = frozen.ask("POST /v1/videos", { model: "v/camera", prompt: "a boat" });
    await frozen.until(() => frozen.films.length === 1);
    const film = { ref: "f", model: "v/camera", usage: {} } as const;
    frozen.films[0]!.answer({ ...film, status: "queued" });
    const id = (await begun).json["id"] as string;
    // It is due at both clocks, and the first one asks.
    await Promise.all([frozen, other].map(({ clock }) => clock.advance(7_500)));
    await frozen.until(() => frozen.polls.length === 1);
    await other.clock.advance(2 * LEASE_MS + 6_000);
    await other.until(() => other.polls.length === 1);
    const held = await rowOf(id);
    const wrote = frozen.kept("vendorObject").length;
    frozen.polls[0]!.answer({ ...film, status: "failed", error: { code: "upstream_rejected", message: "No." } });
    await frozen.until(() => frozen.kept("vendorObject").length === wrote + 1);
    expect(await rowOf(id)).toEqual(held);
    other.polls[0]!.answer({ ...film, status: "succeeded", videos: [{ mediaType: "video/mp4", data: "aGk=" }] });
    await other.until(async () => (await rowOf(id)).status === "succeeded");
    const { rows } = await store.find(usageEntry, { where: { id }, orderBy: "id", limit: 5 }, scope, within);
    expect(rows.map(({ status }) => status)).toEqual([200]);
  });

  it("takes away no film that it began, and that another has ended meanwhile", async () => {
    const { frozen, rowOf, store, clock } = await alone();
    const begun = frozen.ask("POST /v1/videos", { model: "v/camera", prompt: "a boat" });
    await frozen.until(() => frozen.films.length === 1);
    const { rows } = await store.find(vendorObject, { where: { kind: "video" }, orderBy: "id", limit: 5 }, scope, within);
    const { id } = rows[0]!;
    await clock.advance(901_000);
    const other = await node(store, clock);
    await other.until(async () => (await rowOf(id)).status === "failed");
    frozen.films[0]!.answer({ ref: "f", model: "v/camera", usage: {}, status: "queued" });
    expect(await begun).toMatchObject({ status: 500, text: expect.stringContaining("outcome_unknown") as string });
    expect(await rowOf(id)).toMatchObject({ status: "failed", ref: null, error: { code: "outcome_unknown" } });
  });

  async function background() {
    const both = await pair();
    const { frozen } = both;
    const asked = frozen.ask("POST /v1/responses", { model: "v/m", input: "hi", background: true });
    await frozen.until(() => frozen.chats.length === 1);
    await frozen.clock.advance(1_000);
    const id = (await asked).json["id"] as string;
    const wrote = (): number => frozen.kept("storedResponse").length;
    /** What it made is written, or refused. */
    const thaw = async (): Promise<boolean | undefined> => {
      const before = wrote();
      frozen.chats[0]!.answer("late");
      await frozen.until(() => wrote() > before);
      return frozen.kept("storedResponse").at(-1);
    };
    return { ...both, id, thaw };
  }

  it("ends no response that was told to have failed", async () => {
    const { frozen, other, id, thaw } = await background();
    await other.clock.advance(LEASE_MS + 1_000);
    const failed = { status: "failed", error: { message: expect.stringContaining("ended before it was done") as string } };
    expect((await other.ask(`GET /v1/responses/${id}`)).json).toMatchObject(failed);
    expect(await thaw()).toBe(false);
    for (const { ask } of [frozen, other]) expect((await ask(`GET /v1/responses/${id}`)).json).toMatchObject(failed);
  });

  it("ends no response past its lease, though nobody has asked for it yet", async () => {
    const { other, id, thaw } = await background();
    await other.clock.advance(LEASE_MS + 1_000);
    expect(await thaw()).toBe(false);
    expect((await other.ask(`GET /v1/responses/${id}`)).json).toMatchObject({ status: "failed" });
  });
});
