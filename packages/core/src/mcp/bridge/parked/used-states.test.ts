import { expect, it } from "vitest";
import { usedRequestState } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { memoryStore } from "../../../memory/index.js";
import { FakeClock } from "../../../testing/index.js";
import { UsedStates } from "./used-states.js";

function place() {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const find = { orderBy: "id", limit: 1_000 } as const;
  const ids = async () => (await store.find(usedRequestState, find, { system: "test" }, { deadlineMs: Infinity })).rows.map(({ id }) => id);
  const state = (id: string) => ({ carried: { kind: "again" } as const, id, expiresAtMs: clock.now() + 1_000 });
  return { clock, store, ids, state };
}

it("of many that come with one state, at several processes, one goes on (T45)", async () => {
  const { clock, store, state } = place();
  const nodes = [new UsedStates({ store, clock }), new UsedStates({ store, clock })];
  const all = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => nodes[i % 2]!.use(state("one"))));
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const one of all)
    if (one.status === "rejected")
      expect(one.reason).toMatchObject({ code: "validation_failed", details: { reason: "request_state_used" } });
  await nodes[1]!.use(state("two"));
});

it("a state is of use again when nothing reached the server, and not when that is unknown", async () => {
  const { clock, store, state, ids } = place();
  const used = new UsedStates({ store, clock });
  await used.use(state("one"));
  for (const code of ["outcome_unknown", "upstream_timeout", "cancelled", "upstream_interrupted", "internal"] as const)
    await used.failed(state("one"), new GatewayError(code, "It failed."));
  await used.failed(state("one"), new Error("It failed."));
  await used.failed(state("one"), new GatewayError("upstream_unavailable", "It failed.", { details: { status: 503 } }));
  await used.failed(state("one"), new GatewayError("upstream_rate_limited", "Too much.", { details: { status: 429 } }));
  expect(await ids()).toEqual(["one"]);
  await used.failed(state("one"), new GatewayError("upstream_unavailable", "It is not there."));
  await used.use(state("one"));
  await used.failed(state("one"), new GatewayError("upstream_rate_limited", "Too much.", { retryAfterMs: 1_000 }));
  await used.use(state("one"));
});

it("is kept for longer than it would open at a process whose clock is late, and not for ever", async () => {
  const { clock, store, state, ids } = place();
  const used = new UsedStates({ store, clock });
  for (let i = 0; i < 450; i++) await used.use(state(`state-${i}`));
  await clock.advance(1_000 + 599_999);
  await used.sweep();
  expect((await ids()).length).toBe(450);
  await clock.advance(1);
  await used.sweep();
  expect(await ids()).toEqual([]);
});
