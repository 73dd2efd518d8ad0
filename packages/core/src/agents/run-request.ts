import { ownUserOf, seesEveryUser } from "../access/index.js";
import { checkedMessage, type Caller, type Message, type OutputFormat } from "../calls/index.js";
import type { RunRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { now, nowPlus, type Crypto, type NewRow, type StoreNow } from "../ports/index.js";
import type { HeldTurn, OpenedTurn, RunRequest } from "../seams/index.js";
import { checkJson } from "../util/json-checks/check-json.js";
import { newId } from "../util/ids.js";
import { nearest } from "../util/nearest.js";
import { payloadHash } from "../util/payload-hash.js";
import { cutText, isWellFormed } from "../util/well-formed.js";

const MAX_INPUT_BYTES = 16_777_216;
const MAX_FORMAT_BYTES = 262_144;
const formats: ReadonlySet<unknown> = new Set(["text", "json", "json-schema"]);
const DEFAULT_MAX_STEPS = 20;
const DEFAULT_TIMEOUT_MS = 3_600_000;

/** What `options` of a run's row holds. */
export interface RunOptions {
  readonly maxSteps: number;
  readonly timeoutMs: number;
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
  readonly format?: OutputFormat;
  /** The session whose turn it is, and the newest message of it that the turn knows of. */
  readonly session?: HeldTurn;
}

/** A request that was looked at. */
export interface CheckedRequest {
  /** null: the session's. */
  readonly model: string | null;
  readonly input: readonly Message[];
  /** null: the session's, or none. */
  readonly tools: readonly string[] | null;
  readonly options: Omit<RunOptions, "session">;
  readonly session: string | null;
  readonly idempotencyKey: string | null;
  /** The same for the same request, whatever became of its session. */
  readonly payloadHash: string;
}

type NewRun = { readonly [K in keyof NewRow<RunRow>]: NewRow<RunRow>[K] | StoreNow } & {
  readonly id: string;
  readonly payloadHash: string;
};

/** A run's id is known before it is stored; an idempotency key always gives its caller the same one, and nobody else. */
export function runId(request: RunRequest, caller: Caller, crypto: Crypto): string {
  const key = request.idempotencyKey;
  return key === undefined
    ? newId("run")
    : `run_${payloadHash([caller.projects[0], caller.id, key], (bytes) => crypto.sha256(bytes)).slice(0, 40)}`;
}

/** Errors: `validation_failed`, `payload_too_large`. */
export function checkedRequest(request: RunRequest, crypto: Crypto): CheckedRequest {
  refuseUnknown(request);
  const { model, tools = [], idempotencyKey, session } = request;
  if (session !== undefined && (typeof session !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(session)))
    throw invalid("session", "the id of a session is expected.");
  if (
    (model === undefined && session === undefined) ||
    (model !== undefined && (typeof model !== "string" || model.length < 1 || model.length > 200))
  )
    throw invalid("model", "a name of 1 to 200 characters is expected.");
  if (!Array.isArray(tools) || tools.some((glob) => typeof glob !== "string" || glob === "" || glob.length > 200))
    throw invalid("tools", "a list of tool names or globs is expected.");
  if (idempotencyKey !== undefined && (typeof idempotencyKey !== "string" || idempotencyKey.length < 1 || idempotencyKey.length > 200))
    throw invalid("idempotencyKey", "1 to 200 characters are expected.");
  for (const [field, text] of [
    ["model", model ?? ""],
    ...tools.map((glob) => ["tools", glob] as const),
    ["idempotencyKey", idempotencyKey ?? ""],
  ] as const)
    if (!isWellFormed(text)) throw invalid(field, "half a surrogate pair is no text.");
  const input = messagesOf(request.input);
  const options = optionsAsked(request);
  const asked = { ...(model === undefined ? {} : { model }), input, tools, options, ...(session === undefined ? {} : { session }) };
  return {
    ...{
      model: model ?? null,
      input,
      tools: request.tools ?? null,
      options,
      session: session ?? null,
      idempotencyKey: idempotencyKey ?? null,
    },
    payloadHash: payloadHash(asked, (bytes) => crypto.sha256(bytes)),
  };
}

/** The row of a new run. `reservedMs`: how long it is kept for the process that stores it. Errors: `validation_failed` when neither it nor its session names a model. */
export function newRun(
  request: CheckedRequest,
  caller: Caller,
  o: { readonly id: string; readonly reservedMs: number; readonly turn: OpenedTurn | null },
): NewRun {
  const { turn } = o;
  const model = request.model ?? turn?.model ?? null;
  if (model === null) throw invalid("model", "neither the request nor its session names one.");
  const options: RunOptions = {
    ...request.options,
    ...(turn === null ? {} : { session: { id: turn.sessionId, seq: turn.seq, userId: turn.userId } }),
  };
  return {
    id: o.id,
    projectId: caller.projects[0],
    status: "queued",
    model,
    input: [...request.input],
    tools: [...(request.tools ?? turn?.tools ?? [])],
    options: { ...options },
    caller: { ...caller, projects: [...caller.projects], grants: [...caller.grants] },
    text: null,
    output: null,
    error: null,
    usage: {},
    steps: 0,
    attempt: 0,
    leaseUntilMs: o.reservedMs > 0 ? nowPlus(o.reservedMs) : now,
    holder: null,
    cancelRequested: false,
    cancelReason: null,
    idempotencyKey: request.idempotencyKey,
    payloadHash: request.payloadHash,
    startedAtMs: null,
    finishedAtMs: null,
    waitingSinceMs: null,
    waitedMs: null,
  };
}

function optionsAsked(request: RunRequest): CheckedRequest["options"] {
  const { temperature, maxOutputTokens, format } = request;
  if (temperature !== undefined && !(typeof temperature === "number" && temperature >= 0 && temperature <= 2))
    throw invalid("temperature", "a number from 0 to 2 is expected.");
  if (format !== undefined) {
    if (!formats.has(format?.type)) throw invalid("format.type", `one of ${[...formats].join(", ")} is expected.`);
    checkJson(format, { what: "format", maxBytes: MAX_FORMAT_BYTES });
  }
  return {
    maxSteps: whole("maxSteps", request.maxSteps ?? DEFAULT_MAX_STEPS, 1000),
    timeoutMs: whole("timeoutMs", request.timeoutMs ?? DEFAULT_TIMEOUT_MS, 86_400_000),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens: whole("maxOutputTokens", maxOutputTokens, 100_000_000) }),
    ...(format === undefined ? {} : { format }),
  };
}

/** The caller that a run acts for, as it was stored with it. */
export function callerOf(row: RunRow): Caller {
  return row.caller as unknown as Caller;
}
/** Whether a caller of its projects sees the run: one in a session is seen by who sees the session, and by whom it acts for (T16). */
export function isSeenBy(row: RunRow, caller: Caller): boolean {
  const { session } = optionsOf(row);
  if (session === undefined || seesEveryUser(caller)) return true;
  const own = ownUserOf(caller);
  return session.userId === own || ownUserOf(callerOf(row)) === own;
}
export function optionsOf(row: RunRow): RunOptions {
  return row.options as unknown as RunOptions;
}

function messagesOf(input: RunRequest["input"]): readonly Message[] {
  if (input === "") throw invalid("input", "it is empty.");
  const isText = typeof input === "string";
  if (!isText && (!Array.isArray(input) || input.length === 0)) throw invalid("input", "a text or a list of messages is expected.");
  checkJson(input, { what: "input", maxBytes: MAX_INPUT_BYTES });
  if (isText) return [{ role: "user", content: [{ type: "text", text: input }] }];
  return (input as readonly unknown[]).map((message, i) => checkedMessage(message, `input[${i}]`));
}

const fields: { readonly [K in keyof Required<RunRequest>]: true } = {
  model: true,
  input: true,
  session: true,
  tools: true,
  maxSteps: true,
  timeoutMs: true,
  temperature: true,
  maxOutputTokens: true,
  format: true,
  idempotencyKey: true,
};
/** A misspelt field would be a limit that does not hold. */
function refuseUnknown(request: RunRequest): void {
  const known = Object.keys(fields);
  const unknown = Object.keys(request).find((key) => !Object.hasOwn(fields, key));
  if (unknown === undefined) return;
  const shown = cutText(unknown, 64);
  const meant = nearest(unknown, known);
  throw new GatewayError("validation_failed", `${shown}: a run has no such field.`, {
    hint: meant === null ? `Known are ${known.join(", ")}.` : `Did you mean "${meant}"?`,
    details: { field: shown },
  });
}

function whole(field: string, value: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > most) throw invalid(field, `a whole number from 1 to ${most} is expected.`);
  return value;
}
function invalid(field: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${what}`, { details: { field } });
}
