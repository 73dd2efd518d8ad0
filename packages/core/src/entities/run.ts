import { z } from "zod";
import { bool, defineEntity, defineLog, field, int, json, longText, text, type RowType } from "./define-entity.js";

export const runStatus = z.enum(["queued", "running", "waiting", "succeeded", "failed", "cancelled"]);

/**
 * One piece of agent work, from an input to an output, over many model and tool calls. `attempt` is the fence: it grows by one whenever a process
 * takes the run, and every later write names it.
 */
export const run = defineEntity({
  name: "run",
  table: "runs",
  kind: "machine",
  scope: "projectId",
  watched: false,
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64), filter: true }),
    status: field(runStatus, { access: "server", column: text(16), filter: true }),
    model: field(z.string().max(200), { access: "create-only", column: text(200), filter: true }),
    /** Neutral messages. */
    input: field(z.array(z.unknown()), { access: "create-only", column: json }),
    /** Globs over tool names: `files__*`. */
    tools: field(z.array(z.string()), { access: "create-only", column: json }),
    options: field(z.record(z.string(), z.unknown()), { access: "create-only", column: json }),
    /** The caller as data: who it acts for when another process resumes it. */
    caller: field(z.record(z.string(), z.unknown()), { access: "server", column: json }),
    /** Visible text of the last answer. */
    text: field(z.string().nullable(), { access: "server", column: longText }),
    output: field(z.unknown(), { access: "server", column: json }),
    error: field(z.object({ code: z.string(), message: z.string(), step: z.int() }).nullable(), { access: "server", column: json }),
    usage: field(z.record(z.string(), z.unknown()), { access: "server", column: json }),
    steps: field(z.int(), { access: "server", column: int }),
    attempt: field(z.int(), { access: "server", column: int }),
    leaseUntilMs: field(z.int(), { access: "server", column: int }),
    /** The node that holds the lease, or held it last. */
    holder: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    cancelRequested: field(z.boolean(), { access: "server", column: bool }),
    cancelReason: field(z.string().max(500).nullable(), { access: "server", column: text(500) }),
    /** Repeating a creation gives the same run: the id is made of the project, the caller and this. */
    idempotencyKey: field(z.string().max(200).nullable(), { access: "create-only", column: text(200) }),
    /** SHA-256 of the creation's payload, to tell a repetition from a reuse of the key. */
    payloadHash: field(z.string().max(64), { access: "server", column: text(64) }),
    startedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    finishedAtMs: field(z.int().nullable(), { access: "server", column: int }),
    /** Since when it waits for a person, and how long it did before: not part of its time limit. */
    waitingSinceMs: field(z.int().nullable(), { access: "server", column: int }),
    waitedMs: field(z.int().nullable(), { access: "server", column: int }),
  },
  indexes: [
    ["status", "leaseUntilMs"],
    ["status", "cancelRequested"],
    ["projectId", "createdAtMs"],
  ],
});
export type RunRow = RowType<typeof run>;

/** What readers of a run see; the stream is the run's id. `event` is a RunEvent. */
export const runEvent = defineLog({
  name: "runEvent",
  table: "run_events",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    event: field(z.record(z.string(), z.unknown()), { access: "server", column: json }),
  },
});
export type RunEventEntry = RowType<typeof runEvent>;

/**
 * The journal of a run, from which another process goes on: an entry before and after every step that costs or has an effect. The stream is the run's
 * id. `kind` says what `body` is: `model.begun`, `model.done` (the whole answer), `tool.begun` (call id, name, arguments, idempotency key), `tool.done` (the result),
 * `tool.parked` (nothing was done: a person has to decide first).
 */
export const runStep = defineLog({
  name: "runStep",
  table: "run_steps",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    attempt: field(z.int(), { access: "server", column: int }),
    step: field(z.int(), { access: "server", column: int }),
    kind: field(z.enum(["model.begun", "model.done", "tool.begun", "tool.done", "tool.parked"]), { access: "server", column: text(32) }),
    body: field(z.record(z.string(), z.unknown()), { access: "server", column: json }),
  },
});
export type RunStepEntry = RowType<typeof runStep>;
