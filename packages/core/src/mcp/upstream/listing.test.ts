import { describe, expect, it } from "vitest";
import { utf8 } from "../frames/splice.js";
import type { Connection } from "../lanes/own-request.js";
import { WireLane } from "../lanes/wire-lane.js";
import type { McpWire } from "../../ports/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { Log } from "../../util/log.js";
import { Backoff } from "./backoff.js";
import type { ListKind } from "./list-entries.js";
import { Listing } from "./listing.js";
import type { UpstreamDeps } from "./upstream-deps.js";

/** A listing of a server at the other end of a wire, whose tools are those of the test, and how often it was asked for them. */
function listing() {
  const clock = new FakeClock();
  const changed: ListKind[] = [];
  const state = { names: ["a"], asked: 0, fails: false };
  const nothing = (): void => undefined;
  const deps: Pick<UpstreamDeps, "clock" | "log" | "limits" | "onListChanged"> = {
    clock,
    log: new Log("silent", nothing),
    limits: { connectMs: 1_000, listMs: 1_000, startMs: 1_000, maxMessageBytes: 1e6 },
    onListChanged: (_server, kind) => void changed.push(kind),
  };
  let onFrame: (frame: Uint8Array) => void = nothing;
  const wire: McpWire = {
    send: (frame) => {
      state.asked++;
      const { id } = JSON.parse(new TextDecoder().decode(frame)) as { id: number };
      const tools = state.names.map((name) => ({ name, inputSchema: { type: "object" } }));
      const answer = state.fails ? { error: { code: -32603, message: "no" } } : { result: { tools } };
      queueMicrotask(() => onFrame(utf8(JSON.stringify({ jsonrpc: "2.0", id, ...answer }))));
      return Promise.resolve();
    },
    onFrame: (handler) => void (onFrame = handler),
    onClose: nothing,
    close: () => Promise.resolve(),
  };
  const lane = new WireLane(wire, {
    clock,
    events: { onNotice: nothing, onLog: nothing, onClose: nothing },
    stderr: () => null,
    onGarbage: nothing,
  });
  const connection: Connection = {
    era: "legacy",
    version: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: null,
    instructions: null,
    meta: "",
    lane,
  };
  return { clock, changed, state, connection, listing: new Listing("s", deps) };
}

describe("a server's lists", () => {
  it("are read once a second at most, however often they change, and the last change is seen", async () => {
    const { clock, state, connection, listing: lists } = listing();
    await lists.readAll(connection);
    for (let i = 0; i < 1000; i++) void lists.refresh(connection, "tools");
    expect(state.asked).toBe(1);
    state.names = ["a", "b"];
    await clock.advance(1_000);
    expect(state.asked).toBe(2);
    expect([...lists.lists.tools.keys()]).toEqual(["a", "b"]);
    await clock.advance(10_000);
    expect(state.asked).toBe(2);
  });

  it("are told as changed only when they are", async () => {
    const { clock, changed, state, connection, listing: lists } = listing();
    await lists.readAll(connection);
    await clock.advance(2_000);
    await lists.refresh(connection, "tools");
    expect(changed).toEqual(["tools"]);
    state.names = [];
    await clock.advance(2_000);
    await lists.refresh(connection, "tools");
    expect(changed).toEqual(["tools", "tools"]);
  });

  it("are kept when they can't be read, and the failure is told until they can", async () => {
    const { clock, state, connection, listing: lists } = listing();
    await lists.readAll(connection);
    state.fails = true;
    await clock.advance(2_000);
    await lists.refresh(connection, "tools");
    expect([...lists.lists.tools.keys()]).toEqual(["a"]);
    expect(lists.lastError).toMatch(/tools\/list could not be read/);
    state.fails = false;
    await clock.advance(2_000);
    await lists.refresh(connection, "tools");
    expect(lists.lastError).toBeNull();
  });

  it("are looked at again for what is missing, once in ten seconds", async () => {
    const { clock, state, connection, listing: lists } = listing();
    await lists.readAll(connection);
    await lists.lookAgain(connection, "tools");
    expect(state.asked).toBe(1);
    state.names = ["a", "late"];
    await clock.advance(10_000);
    await Promise.all([lists.lookAgain(connection, "tools"), lists.lookAgain(connection, "tools")]);
    expect(state.asked).toBe(2);
    expect(lists.lists.tools.has("late")).toBe(true);
  });

  it("are left alone after the end", async () => {
    const { clock, state, connection, listing: lists } = listing();
    await lists.readAll(connection);
    void lists.refresh(connection, "tools");
    lists.close();
    await clock.advance(60_000);
    expect(state.asked).toBe(1);
  });
});

describe("Backoff", () => {
  it("tries again by itself, with growing pauses, ten times", async () => {
    const clock = new FakeClock();
    const backoff = new Backoff(clock);
    const triedAtMs: number[] = [];
    const start = clock.now();
    const again = () => {
      triedAtMs.push(clock.now() - start);
      backoff.failed(again);
    };
    backoff.failed(again);
    await clock.advance(3_600_000);
    const pauses = triedAtMs.map((at, i) => at - (triedAtMs[i - 1] ?? 0));
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it("begins anew after a connection that held, and not after one that did not", async () => {
    const clock = new FakeClock();
    const backoff = new Backoff(clock);
    backoff.failed(null);
    backoff.failed(null);
    backoff.succeeded();
    expect(backoff.waitMs()).toBe(0);
    await clock.advance(1_000);
    backoff.failed(null);
    expect(backoff.waitMs()).toBe(2_000);
    backoff.succeeded();
    await clock.advance(10_000);
    backoff.failed(null);
    expect(backoff.waitMs()).toBe(500);
  });

  it("does nothing more when it is stopped", async () => {
    const clock = new FakeClock();
    const backoff = new Backoff(clock);
    backoff.failed(() => expect.unreachable());
    backoff.stop();
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });
});
