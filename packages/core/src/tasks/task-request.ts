import type { Caller } from "../calls/index.js";
import type { TaskRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { nowPlus, type Crypto, type NewRow, type StoreNow } from "../ports/index.js";
import { checkJson } from "../util/json-checks/check-json.js";
import { newId } from "../util/ids.js";
import { cutText, isWellFormed } from "../util/well-formed.js";
import { payloadHash } from "../util/payload-hash.js";

/** What `tasks.create()` takes. Durations are in ms. */
export interface TaskRequest {
  /** The name of a handler, 1 to 100 characters. It may be registered later, or in another process. */
  readonly type: string;
  /** Any JSON value up to 1 MiB; null when left out. */
  readonly payload?: unknown;
  /** Unix ms; with `delayMs` left out too: at once. A due time that is past means at once. */
  readonly dueAtMs?: number | undefined;
  /** From now, by the store's clock. Not together with `dueAtMs`. */
  readonly delayMs?: number | undefined;
  /** -1,000 to 1,000, higher first within the type; 0 when left out. */
  readonly priority?: number | undefined;
  /** 1 to 1,000; 3 when left out. An attempt whose process died counts; one given back at a shutdown does not. */
  readonly maxAttempts?: number | undefined;
  /** The base of the exponential backoff; 1,000 when left out. */
  readonly backoffMs?: number | undefined;
  /** How long a worker may be silent before the task is given to another one, 100 at the least; the scheduler's `leaseMs` when left out. */
  readonly leaseMs?: number | undefined;
  /** Up to 200 characters, unique in the project: repeating a creation gives the same task. */
  readonly idempotencyKey?: string | undefined;
}

const MAX_PAYLOAD_BYTES = 1_048_576;
const MAX_DELAY_MS = 10 * 366 * 86_400_000;

type NewTask = { readonly [K in keyof NewRow<TaskRow>]: NewRow<TaskRow>[K] | StoreNow };

/** The row of a new task; `leaseMs` is for one that does not say. Errors: `validation_failed`, `payload_too_large`. */
export function newTask(
  request: TaskRequest,
  caller: Caller,
  o: { readonly crypto: Crypto; readonly leaseMs: number },
): NewTask & { readonly id: string; readonly payloadHash: string } {
  const { type, payload = null, dueAtMs, delayMs, idempotencyKey } = request;
  if (typeof type !== "string" || type.length < 1 || type.length > 100) throw invalid("type", "a name of 1 to 100 characters is expected.");
  if (idempotencyKey !== undefined && (typeof idempotencyKey !== "string" || idempotencyKey.length < 1 || idempotencyKey.length > 200))
    throw invalid("idempotencyKey", "1 to 200 characters are expected.");
  for (const [field, text] of Object.entries({ type, idempotencyKey: idempotencyKey ?? "" }))
    if (!isWellFormed(text)) throw invalid(field, "half a surrogate pair is no text.");
  if (dueAtMs !== undefined && delayMs !== undefined) throw invalid("delayMs", "give either dueAtMs or delayMs, not both.");
  checkJson(payload, { what: "payload", maxBytes: MAX_PAYLOAD_BYTES });
  const due = dueAtMs === undefined ? nowPlus(whole("delayMs", delayMs ?? 0, [0, MAX_DELAY_MS])) : whole("dueAtMs", dueAtMs, [0, 8.64e15]);
  const priority = whole("priority", request.priority ?? 0, [-1000, 1000]);
  const maxAttempts = whole("maxAttempts", request.maxAttempts ?? 3, [1, 1000]);
  const backoffMs = whole("backoffMs", request.backoffMs ?? 1000, [0, 86_400_000]);
  const leaseMs = whole("leaseMs", request.leaseMs ?? o.leaseMs, [100, 86_400_000]);
  return {
    id: newId("task"),
    projectId: caller.projects[0],
    type,
    status: "pending",
    payload,
    result: null,
    error: null,
    priority,
    dueAtMs: due,
    readyAtMs: due,
    attempt: 0,
    uncounted: 0,
    maxAttempts,
    backoffMs,
    leaseMs,
    holder: null,
    cancelRequested: false,
    cancelReason: null,
    deadLetter: false,
    idempotencyKey: idempotencyKey ?? null,
    payloadHash:
      idempotencyKey === undefined
        ? ""
        : payloadHash({ type, payload, dueAtMs, delayMs, priority, maxAttempts, backoffMs, leaseMs }, (bytes) => o.crypto.sha256(bytes)),
    createdBy: cutText(caller.id, 100),
    startedAtMs: null,
    finishedAtMs: null,
  };
}

/** Errors: `validation_failed` naming the field. */
export function whole(field: string, value: number, [least, most]: readonly [number, number]): number {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw invalid(field, `a whole number from ${least} to ${most} is expected.`);
  return value;
}

export function invalid(field: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${what}`, { details: { field } });
}
