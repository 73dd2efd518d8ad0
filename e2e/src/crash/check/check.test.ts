import { expect, it } from "vitest";
import { checkLedger, type RecordedCalls } from "./check-ledger.js";
import { checkTasks } from "./check-tasks.js";
import type { Recorded, Transition } from "./recorded.js";

const step = (from: string | null, to: string, o: Partial<Transition> = {}): Transition => ({
  ...{ task: "t", from, to, fromAttempt: from === null ? null : 1, toAttempt: 1, fromReadyAtMs: 2000, toReadyAtMs: 2000, atMs: 1000 },
  ...o,
});
const created = step(null, "pending", { toAttempt: 0 });
const taken = step("pending", "running", { fromAttempt: 0, fromReadyAtMs: 500 });
const ended = step("running", "succeeded");
const again = step("running", "running", { toAttempt: 2, atMs: 2000, toReadyAtMs: 3000 });

/** One task that went well, but for what is said. */
function recorded(history: readonly Transition[], over: Partial<Recorded> = {}, row: Partial<Recorded["rows"][number]> = {}): Recorded {
  return {
    accepted: [{ id: "t", key: "k", ends: "succeeded", type: "work", askedAtMs: 0, acceptedAtMs: 1 }],
    unknown: new Set(),
    rows: [
      {
        ...{ id: "t", key: "k", status: "succeeded", attempt: 1, uncounted: 0, maxAttempts: 3, deadLetter: false },
        result: { by: "a", attempt: 1 },
        ...row,
      },
    ],
    history,
    seen: [{ saw: "effect", key: "t", task: "t", attempt: 1, worker: "a", atMs: 1 }],
    ...over,
  };
}
const faults = (given: Recorded): string => checkTasks(given, { slackMs: 0, maxAttempts: null }).join("\n");

it("says nothing of a task that went well, was begun again, or was given back", () => {
  expect(faults(recorded([created, taken, ended]))).toBe("");
  const seen = [1, 2].map(
    (attempt) => ({ saw: "effect", key: "t", task: "t", attempt, worker: "ab"[attempt - 1]!, atMs: attempt }) as const,
  );
  const late = { fromAttempt: 2, toAttempt: 2, fromReadyAtMs: 3000, atMs: 2500 };
  expect(
    faults(
      recorded([created, taken, again, step("running", "succeeded", late)], { seen }, { attempt: 2, result: { by: "b", attempt: 2 } }),
    ),
  ).toBe("");
});

it.each<readonly [what: string, Recorded, RegExp]>([
  ["a task that is gone", recorded([created], { rows: [] }), /lost: t was accepted and is gone/],
  ["a task that never ended", recorded([created, taken], {}, { status: "running", result: null }), /never ended/],
  ["a task that did nothing", recorded([created, taken, ended], { seen: [] }), /did nothing/],
  ["two ends", recorded([created, taken, ended, step("succeeded", "pending"), step("pending", "succeeded")]), /doubled/],
  ["a write after the end", recorded([created, taken, ended, step("succeeded", "succeeded")]), /doubled/],
  ["a write after the lease", recorded([created, taken, step("running", "succeeded", { atMs: 2001 })]), /stale/],
  ["a write by an attempt that lost it", recorded([created, taken, again, ended], {}, { attempt: 1 }), /jumps/],
  ["a claim before the lease is over", recorded([created, taken, { ...again, atMs: 1500 }]), /claimed twice/],
  ["a claim of two at once", recorded([created, { ...taken, toAttempt: 2 }, ended]), /claimed twice/],
  ["a claim before it is due", recorded([created, { ...taken, fromReadyAtMs: 1001 }, ended]), /early/],
  [
    "one attempt of two workers",
    recorded([created, taken, ended], {
      seen: ["a", "b"].map((worker) => ({ saw: "effect", key: "t", task: "t", attempt: 1, worker, atMs: 1 })),
    }),
    /claimed twice/,
  ],
  ["a row that nobody asked for", recorded([created, taken, ended], { accepted: [] }), /from nowhere/],
  ["too many attempts", recorded([created, taken, ended], {}, { maxAttempts: -1 }), /attempts of/],
  [
    "a dead letter that was not planned",
    recorded([created, taken, step("running", "failed")], {}, { status: "failed", deadLetter: true, result: null }),
    /not as planned/,
  ],
])("finds %s", (_, given, fault) => {
  expect(faults(given)).toMatch(fault);
});

const calls = (over: Partial<RecordedCalls> = {}): RecordedCalls => ({
  accepted: ["a"],
  sent: new Set(["a", "b"]),
  usage: [{ id: "1", requestId: "a", costNanoUsd: 5 }],
  window: { limit: 100, left: 95, spent: 5, reserved: 0 },
  leftOver: 0,
  ...over,
});

it.each<readonly [what: string, Partial<RecordedCalls>, RegExp | ""]>([
  ["nothing where all is well", {}, ""],
  ["a call without a row", { accepted: ["a", "b"] }, /lost: b/],
  [
    "a call with two rows",
    {
      usage: [1, 2].map((id) => ({ id: String(id), requestId: "a", costNanoUsd: 5 })),
      window: { limit: 100, left: 90, spent: 10, reserved: 0 },
    },
    /doubled: a/,
  ],
  ["a row of no call", { sent: new Set() }, /from nowhere/],
  ["a budget that was not added to", { window: { limit: 100, left: 100, spent: 0, reserved: 0 } }, /the rows say 5/],
  ["a budget that does not add up", { window: { limit: 100, left: 90, spent: 5, reserved: 0 } }, /add up/],
  ["what is still set aside", { window: { limit: 100, left: 90, spent: 5, reserved: 5 } }, /still reserves/],
  ["what nobody settled", { leftOver: 1 }, /left over/],
])("of the ledger it finds %s", (_, over, fault) => {
  const found = checkLedger(calls(over)).join("\n");
  if (fault === "") expect(found).toBe("");
  else expect(found).toMatch(fault);
});
