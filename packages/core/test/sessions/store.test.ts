import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { message, session } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import type { RecordStore } from "../../src/ports/index.js";
import type { Sessions } from "../../src/sessions/index.js";
import { collect, processOn, scriptedModels, scriptedTools, type Process, type ProcessOptions } from "../scripted-seams.js";
import { gate, sharedPorts, storeKinds, wrapped, type SharedPorts } from "../shared-ports.js";

const ada: Caller = { kind: "key", id: "key_ada", name: "Ada", projects: ["default"], grants: ["*"] };
const SYSTEM = { system: "a test looks" };
const never = new Promise<never>(() => undefined);
const within = (on: SharedPorts) => ({ deadlineMs: on.clock.now() + 60_000 });
const DAY_MS = 86_400_000;

const open: { process: Process; on: SharedPorts }[] = [];
afterEach(async () => {
  for (const { process, on } of open.splice(0)) {
    const closing = Promise.all([process.engine.close({ graceMs: 0 }), process.domain.close()]);
    await on.clock.advance(1000);
    await closing;
  }
});
function processOf(on: SharedPorts, o: Partial<ProcessOptions> = {}): Process {
  const process = processOn(on, { models: scriptedModels([]), leaseMs: 3000, ...o });
  open.push({ process, on });
  return process;
}
const textOf = (one: { readonly message: { readonly content: readonly unknown[] } }): string =>
  (one.message.content[0] as { text: string }).text;
const said = async (sessions: Sessions, id: string): Promise<string[]> =>
  (await sessions.messages(id, { limit: 1000 })).messages.map(textOf);
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ role: i % 2 === 0 ? ("user" as const) : ("assistant" as const), content: `m${i + 1}` }));
/** Everything of sessions that the store has, whoever may see it. */
async function stored(on: SharedPorts, store: RecordStore = on.store) {
  const { rows } = await store.find(session, { orderBy: "createdAtMs", limit: 1000 }, SYSTEM, within(on));
  return rows.map(({ id, status, messageCount, lastSeq }) => ({ id, status, messageCount, lastSeq }));
}
const streamOf = async (on: SharedPorts, id: string) =>
  (await on.store.read(message, id, { afterSeq: 0, limit: 100_000 }, SYSTEM, within(on))).map(({ seq }) => seq);
async function fill(sessions: Sessions, id: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 1000) await sessions.append(id, many(count).slice(from, from + 1000));
}
/** A store as a process sees it that dies at its nth commit. */
function diesAt(store: RecordStore, o: { readonly point: number; readonly moment: "before" | "after" }) {
  let commits = 0;
  let died = false;
  const dying = wrapped(store, async (verb, call) => {
    if (died) return never;
    const dies = verb === "commit" && ++commits === o.point;
    if (dies) died = true;
    if (dies && o.moment === "before") return never;
    const result = await call();
    return dies ? never : result;
  });
  return { store: dying, died: () => died };
}
const settledIn = async (on: SharedPorts, what: Promise<unknown>): Promise<"done" | "hangs"> => {
  let done = false;
  what.then(
    () => (done = true),
    () => (done = true),
  );
  for (let i = 0; i < 20; i++) await on.clock.advance(1);
  return done ? "done" : "hangs";
};

describe.each(storeKinds)("sessions on %s", (kind) => {
  it("writers at once, in two processes, lose and reorder nothing: each append whole, each writer's own in its order", async () => {
    const on = await sharedPorts(kind);
    const processes = [processOf(on), processOf(on, { nodeId: "node_2" })];
    const sessions = processes.map(({ domain }) => domain.of(ada));
    const { id } = await sessions[0]!.create();
    const acked: { readonly firstSeq: number; readonly texts: readonly string[] }[] = [];
    const writer = async (w: number): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        const texts = Array.from({ length: 1 + ((w + i) % 3) }, (_, k) => `${w}.${i}.${k}`);
        const { firstSeq, lastSeq } = await sessions[w % 2]!.append(
          id,
          texts.map((content) => ({ role: "user", content })),
        );
        expect(lastSeq - firstSeq + 1).toBe(texts.length);
        acked.push({ firstSeq, texts });
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, w) => writer(w)));
    const { messages } = await sessions[1]!.messages(id, { limit: 1000 });
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, i) => i + 1));
    expect(messages).toHaveLength(acked.reduce((sum, { texts }) => sum + texts.length, 0));
    for (const { firstSeq, texts } of acked) expect(messages.slice(firstSeq - 1, firstSeq - 1 + texts.length).map(textOf)).toEqual(texts);
    for (let w = 0; w < 8; w++) {
      const own = messages.map(textOf).filter((text) => text.startsWith(`${w}.`));
      expect(own).toEqual(
        [...own].sort((a, b) => Number(a.split(".")[1]) - Number(b.split(".")[1]) || Number(a.split(".")[2]) - Number(b.split(".")[2])),
      );
    }
    expect(await stored(on)).toMatchObject([{ messageCount: messages.length, lastSeq: messages.length }]);
  });

  it("of a session that is deleted while others append nothing is left, on either side", async () => {
    const on = await sharedPorts(kind);
    const sessions = processOf(on).domain.of(ada);
    for (let round = 0; round < 10; round++) {
      const { id } = await sessions.create();
      const appends = Array.from({ length: 10 }, (_, i) =>
        sessions.append(id, `m${i}`).then(
          () => "kept",
          (error: unknown) => GatewayError.from(error).code,
        ),
      );
      const branch = sessions.branch(id).then(
        ({ id: made }) => sessions.delete(made),
        () => undefined,
      );
      const [results] = await Promise.all([Promise.all(appends), sessions.delete(id), branch]);
      for (const result of results) expect(["kept", "not_found"]).toContain(result);
      expect(await streamOf(on, id)).toEqual([]);
      expect(await on.cache.get(`session:${id}`, within(on))).toBeNull();
    }
    expect(await stored(on)).toEqual([]);
  });

  it.each(["before", "after"] as const)(
    "a process that dies %s any write of a deletion or a branch leaves nothing that the sweeper does not take away",
    async (moment) => {
      const on = await sharedPorts(kind);
      const living = processOf(on);
      const sessions = living.domain.of(ada);
      for (let point = 1; point <= 6; point += kind === "memory" ? 1 : 2) {
        const { id } = await sessions.create();
        await fill(sessions, id, 2200);
        for (const act of [(own: Sessions) => own.branch(id), (own: Sessions) => own.delete(id)]) {
          const dying = diesAt(on.store, { point, moment });
          const dead = processOn({ ...on, store: dying.store }, { models: scriptedModels([]) });
          await settledIn(on, act(dead.domain.of(ada)));
        }
        // What is there to anybody is whole.
        for (const row of (await sessions.list({ limit: 100 })).rows) {
          expect(await streamOf(on, row.id)).toEqual(Array.from({ length: row.lastSeq }, (_, i) => i + 1));
          expect(row.lastSeq).toBe(row.branchSeq ?? 2200);
        }
        for (const row of (await sessions.list({ limit: 100 })).rows) await sessions.delete(row.id);
        await on.clock.advance(601_000);
        await living.domain.sweep();
        expect(await stored(on)).toEqual([]);
        expect(await streamOf(on, id)).toEqual([]);
      }
    },
  );

  it("a session is put off by use, and taken away by whichever node sweeps when nobody used it", async () => {
    const on = await sharedPorts(kind);
    const [one, two] = [processOf(on), processOf(on, { nodeId: "node_2" })];
    const sessions = one.domain.of(ada);
    const ids = await Promise.all(["read", "appended", "left"].map(async (title) => (await sessions.create({ title })).id));
    for (const id of ids) await sessions.append(id, "hello");
    for (let day = 0; day < 10; day++) {
      await on.clock.advance(DAY_MS);
      await sessions.messages(ids[0]!);
      await sessions.append(ids[1]!, "again");
    }
    expect(await sessions.get(ids[2]!)).toBeNull();
    await expect(sessions.append(ids[2]!, "late")).rejects.toMatchObject({ code: "not_found" });
    const gone = await Promise.all([one.domain.sweep(), two.domain.sweep()]);
    expect(gone[0]! + gone[1]!).toBe(1);
    expect((await stored(on)).map(({ id }) => id).sort()).toEqual([ids[0]!, ids[1]!].sort());
    expect(await streamOf(on, ids[2]!)).toEqual([]);
    expect(await said(sessions, ids[0]!)).toEqual(["hello"]);
  });

  it("a sweep takes many, a batch at a time, and none that was renewed", async () => {
    const on = await sharedPorts(kind);
    const process = processOf(on, { sessions: { ttlSeconds: 60 } });
    const sessions = process.domain.of(ada);
    for (let i = 0; i < 120; i++) await sessions.append((await sessions.create()).id, "x");
    const kept = await sessions.create();
    await on.clock.advance(50_000);
    await sessions.get(kept.id);
    await on.clock.advance(15_000);
    expect(await process.domain.sweep()).toBe(120);
    expect((await stored(on)).map(({ id }) => id)).toEqual([kept.id]);
  });

  it("a renewal that fails is told, and the reading does not fail for it", async () => {
    const on = await sharedPorts(kind);
    const { id } = await processOf(on).domain.of(ada).create();
    await on.clock.advance(DAY_MS);
    const failing = wrapped(on.store, (verb, call) =>
      verb === "commit" ? Promise.reject(new GatewayError("store_unavailable", "away", { details: { outcome: "none" } })) : call(),
    );
    const process = processOf({ ...on, store: failing });
    expect(await process.domain.of(ada).get(id)).toMatchObject({ id });
    expect(process.errors).toMatchObject([{ code: "store_unavailable" }]);
  });

  it("of a session of 50,000 messages an append reads none, a turn its window, and an export a page at a time", async () => {
    const on = await sharedPorts(kind);
    let entries = 0;
    let largest = 0;
    const counting = wrapped(on.store, async (verb, call) => {
      const result = await call();
      if (verb === "read") entries += (result as unknown[]).length;
      if (verb === "read") largest = Math.max(largest, (result as unknown[]).length);
      return result;
    });
    const models = scriptedModels(() => ["yes"]);
    const { engine, domain } = processOf({ ...on, store: counting }, { models, sessions: { window: { messages: 50, tokens: 100_000 } } });
    const sessions = domain.of(ada);
    const { id } = await sessions.create({ instructions: "Be short." });
    await fill(sessions, id, 50_000);
    await sessions.append(id, "one more");
    expect(entries).toBe(0);
    await sessions.update(id, { pinned: [7] });
    const turn = async (): Promise<number> => {
      entries = 0;
      const run = engine.run({ model: "m", session: id, input: "now?" }, ada);
      await on.clock.advance(200);
      await run;
      return entries;
    };
    expect(await turn()).toBeLessThan(250);
    const first = models.calls[0]!.call.messages;
    expect(first).toHaveLength(52); // instructions, the pinned one, whole turns of at most 50, and the input
    expect(first[1]?.content).toEqual([{ type: "text", text: "m7" }]);
    // The tail is warm: only the pinned message, the turn before and the run's own journal are read.
    expect(await turn()).toBeLessThan(20);
    largest = 0;
    let exported = 0;
    for await (const piece of await sessions.export(id)) exported += piece.split('{"seq":').length - 1;
    expect([exported, largest]).toEqual([50_005, 500]);
    await sessions.delete(id);
    expect(await stored(on)).toEqual([]);
    expect(await streamOf(on, id)).toEqual([]);
  });

  it("what the cache holds is never taken for what was said: stale, poisoned, of another session, or away", async () => {
    const on = await sharedPorts(kind);
    const models = scriptedModels(() => ["yes"]);
    const { engine, domain, lines } = processOf(on, { models });
    const sessions = domain.of(ada);
    const [{ id }, other] = [await sessions.create(), await sessions.create()];
    const turn = async (of: string): Promise<string[]> => {
      const run = engine.run({ model: "m", session: of, input: "?" }, ada);
      await on.clock.advance(200);
      await run;
      return models.calls.at(-1)!.call.messages.map((one) => (one.content[0] as { text: string }).text);
    };
    await sessions.append(id, "a secret");
    expect(await turn(id)).toEqual(["a secret", "?"]);
    const key = `session:${id}`;
    const stale = (await on.cache.get(key, within(on)))!;
    await sessions.append(id, "news");
    expect(await turn(id)).toEqual(["a secret", "?", "yes", "news", "?"]);
    const expiresAtMs = on.clock.now() + 600_000;
    await on.cache.set(key, stale, { expiresAtMs }, within(on));
    expect((await turn(id)).slice(0, 5)).toEqual(["a secret", "?", "yes", "news", "?"]);
    // Of another session, and not signed by us.
    await sessions.append(other.id, "mine");
    await on.cache.set(`session:${other.id}`, stale, { expiresAtMs }, within(on));
    expect(await turn(other.id)).toEqual(["mine", "?"]);
    const forged = stale.slice();
    forged[forged.length - 20] = (forged[forged.length - 20] ?? 0) ^ 1;
    await on.cache.set(key, forged, { expiresAtMs }, within(on));
    expect(await turn(id)).not.toContain("mine");
    expect(lines.filter((line) => line.includes("thrown out of the cache"))).toHaveLength(2);
    expect(await on.cache.get(key, within(on))).not.toEqual(forged);
    const gone = new Proxy(on.cache, { get: () => () => Promise.reject(new GatewayError("store_unavailable", "away")) });
    const without = processOf({ ...on, cache: gone }, { models });
    const run = without.engine.run({ model: "m", session: other.id, input: "still?" }, ada);
    await on.clock.advance(200);
    await run;
    expect(models.calls.at(-1)!.call.messages.map((one) => (one.content[0] as { text: string }).text)).toEqual([
      "mine",
      "?",
      "yes",
      "still?",
    ]);
  });

  it("one run at a time has a session's turn, which its end gives back, however it ends", async () => {
    const on = await sharedPorts(kind);
    const waits = gate();
    const models = scriptedModels((call) => {
      const last = (call.messages.at(-1)!.content[0] as { text: string }).text;
      if (last === "wait") return ["first ", { wait: waits.passed }, "done"];
      if (last === "hang") return [{ wait: never }];
      return last === "fail" ? [{ fail: new GatewayError("upstream_rate_limited", "no") }] : ["fine"];
    });
    const { engine, domain } = processOf(on, { models });
    const sessions = domain.of(ada);
    const { id } = await sessions.create({});
    const ask = (input: string) => engine.run({ model: "m", session: id, input }, ada);
    const first = ask("wait");
    await on.clock.advance(100);
    await expect(Promise.resolve(ask("too early"))).rejects.toMatchObject({ code: "conflict", details: { run: first.id } });
    await sessions.append(id, "said meanwhile");
    waits.open();
    await on.clock.advance(200);
    await first;
    expect(await said(sessions, id)).toEqual(["said meanwhile", "wait", "first "]);
    const failing = Promise.resolve(ask("fail")).catch((error: unknown) => error);
    await on.clock.advance(200);
    await failing;
    const hanging = ask("hang");
    const ended = Promise.resolve(hanging).catch((error: unknown) => error);
    await on.clock.advance(100);
    await hanging.cancel();
    await on.clock.advance(200);
    expect(await ended).toMatchObject({ code: "cancelled" });
    const last = ask("and now?");
    await on.clock.advance(200);
    await last;
    expect((await said(sessions, id)).slice(3)).toEqual(["and now?", "fine"]);
    expect(await sessions.get(id)).toMatchObject({ turnId: null });
  });

  it.each(["before", "after"] as const)(
    "a turn is in its session once and whole, when the process dies %s any write of its run",
    async (moment) => {
      for (let point = 1; point < 12; point += kind === "memory" ? 1 : 4) {
        const on = await sharedPorts(kind);
        const models = () =>
          scriptedModels((call) => (call.messages.at(-1)!.role === "tool" ? ["All done."] : [{ tool: "s__t", id: "c" }]));
        const tools = scriptedTools({ s__t: () => "result" });
        const living = processOf(on, { models: models(), tools, nodeId: "living" });
        const sessions = living.domain.of(ada);
        const { id } = await sessions.create({ mcp: { tools: ["s__t"] } });
        await sessions.append(id, "before");
        const dying = diesAt(on.store, { point, moment });
        const dead = processOn({ ...on, store: dying.store }, { models: models(), tools, nodeId: "dead", leaseMs: 3000 });
        const ask = (engine: Process["engine"]) => engine.run({ model: "m", session: id, input: "go", idempotencyKey: "once" }, ada);
        const lost = ask(dead.engine);
        Promise.resolve(lost).catch(() => undefined);
        await on.clock.advance(500);
        living.engine.work();
        const again = ask(living.engine);
        const outcome = Promise.resolve(again).then(
          () => "succeeded",
          (error: unknown) => GatewayError.from(error).code,
        );
        await on.clock.advance(10_000);
        const roles = (await sessions.messages(id)).messages.map((one) => one.message.role);
        // A tool call that was begun by the dead is not made again: that run fails, and leaves nothing.
        expect([
          ["succeeded", "user", "user", "assistant", "tool", "assistant"],
          ["outcome_unknown", "user"],
        ]).toContainEqual([await outcome, ...roles]);
        expect(await sessions.get(id)).toMatchObject({ turnId: null, messageCount: roles.length });
        if (!dying.died()) break;
      }
    },
  );

  it("a run whose session is deleted meanwhile comes to its end, and leaves nothing", async () => {
    const on = await sharedPorts(kind);
    const waits = gate();
    const { engine, domain } = processOf(on, { models: scriptedModels([["x", { wait: waits.passed }]]) });
    const sessions = domain.of(ada);
    const { id } = await sessions.create();
    const run = engine.run({ model: "m", session: id, input: "?" }, ada);
    await on.clock.advance(100);
    await sessions.delete(id);
    waits.open();
    await on.clock.advance(200);
    expect(await run).toMatchObject({ text: "x" });
    expect(await stored(on)).toEqual([]);
    expect(await streamOf(on, id)).toEqual([]);
  });

  it("what no longer fits is summed up, once by whoever comes first, and a summary that fails costs nobody the turn", async () => {
    const on = await sharedPorts(kind);
    let broken = true;
    const models = scriptedModels((call) => {
      if (call.model !== "sum") return ["ok"];
      return broken ? [{ fail: new GatewayError("upstream_rate_limited", "busy") }] : [`summary ${call.messages[1]!.content.length}`];
    });
    const rules = { window: { messages: 4, tokens: 1000 }, summarise: { model: "sum", everyMessages: 10, maxTokens: 64, timeoutMs: 5000 } };
    const [one, two] = [processOf(on, { models, sessions: rules }), processOf(on, { models, sessions: rules, nodeId: "node_2" })];
    const sessions = one.domain.of(ada);
    const { id } = await sessions.create();
    await sessions.append(id, many(30));
    const turn = async (process: Process): Promise<string[]> => {
      const run = process.engine.run({ model: "m", session: id, input: "?" }, ada);
      await on.clock.advance(300);
      await run;
      return models.calls.at(-1)!.call.messages.map((said) => (said.content[0] as { text: string }).text);
    };
    const sums = () => models.calls.filter(({ call }) => call.model === "sum");
    expect(await turn(one)).toEqual(["m27", "m28", "m29", "m30", "?"]);
    expect(await turn(two)).not.toContainEqual(expect.stringContaining("Summary"));
    expect(sums()).toHaveLength(1); // not tried again at once
    broken = false;
    await on.clock.advance(15_000);
    expect((await turn(two))[0]).toBe("Summary of the conversation so far:\nsummary 1");
    expect(sums()).toHaveLength(2);
    expect(sums()[1]!.options).toMatchObject({ caller: ada, purpose: "session-summary", depth: 2 });
    expect(await sessions.get(id)).toMatchObject({ summarySeq: 30 });
    await turn(one);
    expect(sums()).toHaveLength(2);
  });

  it("system messages are pinned, of writers at once too", async () => {
    const on = await sharedPorts(kind);
    const sessions = processOf(on).domain.of(ada);
    const { id } = await sessions.create();
    await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        sessions.append(id, [
          { role: "system", content: `rule ${i}` },
          { role: "user", content: `u${i}` },
        ]),
      ),
    );
    const { pinned } = (await sessions.get(id))!;
    const { messages } = await sessions.messages(id);
    expect(pinned).toEqual(messages.filter(({ message: one }) => one.role === "system").map(({ seq }) => seq));
    expect(pinned).toHaveLength(5);
  });

  it("nobody reads or writes a session by its handle alone: 2 users of a project, and 2 projects (T16)", async () => {
    const on = await sharedPorts(kind);
    const { domain, engine } = processOf(on, { models: scriptedModels(() => ["leak"]) });
    const person = (id: string, project: string): Caller => ({
      kind: "user",
      id,
      name: id,
      userId: id,
      projects: [project],
      grants: ["sessions:*", "runs:*", "models:*"],
    });
    const callers = [person("u1", "default"), person("u2", "default"), person("u3", "other")];
    const made = await Promise.all(
      callers.map(async (caller) => {
        const sessions = domain.of(caller);
        const { id } = await sessions.create({ title: `canary ${caller.id}` });
        await sessions.append(id, `canary ${caller.id}`);
        return id;
      }),
    );
    const refused = async (what: Promise<unknown>): Promise<unknown> =>
      what.then(
        () => "read",
        (error: unknown) => GatewayError.from(error).code,
      );
    for (const [i, caller] of callers.entries()) {
      const sessions = domain.of(caller);
      expect((await sessions.list()).rows.map(({ id }) => id)).toEqual([made[i]]);
      expect((await sessions.list({ userId: "u1" })).rows.map(({ userId }) => userId)).toEqual(i === 0 ? ["u1"] : []);
      for (const [j, id] of made.entries()) {
        if (i === j) continue;
        expect(await sessions.get(id)).toBeNull();
        for (const act of [
          () => sessions.messages(id),
          () => sessions.append(id, "mine"),
          () => sessions.append(id, "mine", { ifLast: 1 }),
          () => sessions.update(id, { title: "mine" }),
          () => sessions.branch(id),
          () => sessions.export(id),
          () => sessions.delete(id),
          () => Promise.resolve(engine.run({ model: "m", session: id, input: "tell" }, caller)),
        ])
          expect(await refused(act())).toBe("not_found");
      }
    }
    await expect(domain.of(callers[0]!).create({ userId: "u2" })).rejects.toMatchObject({ code: "forbidden" });
    for (const [i, caller] of callers.entries()) expect(await said(domain.of(caller), made[i]!)).toEqual([`canary ${caller.id}`]);
    const chief: Caller = { ...callers[0]!, id: "chief", userId: "chief", grants: ["*"] };
    expect((await domain.of(chief).list()).rows).toHaveLength(2);
    expect(await collect(await domain.of(chief).export(made[1]!, { format: "markdown" }))).toContainEqual(
      expect.stringContaining("canary u2"),
    );
  });
});
