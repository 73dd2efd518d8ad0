import type { Caller, Message } from "../calls/index.js";
import type { RunRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { now, nowPlus, type Crypto, type NewRow, type StoreNow } from "../ports/index.js";
import type { RunRequest } from "../seams/index.js";
import { checkJson } from "../util/json-checks/check-json.js";
import { newId } from "../util/ids.js";
import { nearest } from "../util/nearest.js";
import { payloadHash } from "../util/payload-hash.js";
import { cutText, isWellFormed } from "../util/well-formed.js";

const MAX_INPUT_BYTES = 16_777_216;
const DEFAULT_MAX_STEPS = 20;
const DEFAULT_TIMEOUT_MS = 3_600_000;
const roles = new Set(["system", "developer", "user", "assistant", "tool"]);
const partsOf: Readonly<Record<string, readonly string[]>> = {
  system: ["text"],
  developer: ["text"],
  user: ["text", "media"],
  assistant: ["text", "reasoning", "refusal", "tool-call", "media"],
  tool: ["tool-result"],
};

/** What `options` of a run's row holds. */
export interface RunOptions {
  readonly maxSteps: number;
  readonly timeoutMs: number;
}

type NewRun = { readonly [K in keyof NewRow<RunRow>]: NewRow<RunRow>[K] | StoreNow } & {
  readonly id: string;
  readonly payloadHash: string;
};

/** A run's id is known before it is stored; an idempotency key always gives the same one in its project. */
export function runId(request: RunRequest, caller: Caller, crypto: Crypto): string {
  const key = request.idempotencyKey;
  return key === undefined ? newId("run") : `run_${payloadHash([caller.projects[0], key], (bytes) => crypto.sha256(bytes)).slice(0, 40)}`;
}

/** The row of a new run. `reservedMs`: how long it is kept for the process that stores it. Errors: `validation_failed`, `payload_too_large`. */
export function newRun(
  request: RunRequest,
  caller: Caller,
  o: { readonly id: string; readonly crypto: Crypto; readonly reservedMs: number },
): NewRun {
  refuseUnknown(request);
  const { model, tools = [], idempotencyKey } = request;
  if (typeof model !== "string" || model.length < 1 || model.length > 200)
    throw invalid("model", "a name of 1 to 200 characters is expected.");
  if (!Array.isArray(tools) || tools.some((glob) => typeof glob !== "string" || glob === "" || glob.length > 200))
    throw invalid("tools", "a list of tool names or globs is expected.");
  if (idempotencyKey !== undefined && (typeof idempotencyKey !== "string" || idempotencyKey.length < 1 || idempotencyKey.length > 200))
    throw invalid("idempotencyKey", "1 to 200 characters are expected.");
  for (const [field, text] of [
    ["model", model],
    ...tools.map((glob) => ["tools", glob] as const),
    ["idempotencyKey", idempotencyKey ?? ""],
  ] as const)
    if (!isWellFormed(text)) throw invalid(field, "half a surrogate pair is no text.");
  const input = messagesOf(request.input);
  const options: RunOptions = {
    maxSteps: whole("maxSteps", request.maxSteps ?? DEFAULT_MAX_STEPS, 1000),
    timeoutMs: whole("timeoutMs", request.timeoutMs ?? DEFAULT_TIMEOUT_MS, 86_400_000),
  };
  return {
    id: o.id,
    projectId: caller.projects[0],
    status: "queued",
    model,
    input: [...input],
    tools: [...tools],
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
    idempotencyKey: idempotencyKey ?? null,
    payloadHash: payloadHash({ model, input, tools, options }, (bytes) => o.crypto.sha256(bytes)),
    startedAtMs: null,
    finishedAtMs: null,
    waitingSinceMs: null,
    waitedMs: null,
  };
}

/** The caller that a run acts for, as it was stored with it. */
export function callerOf(row: RunRow): Caller {
  return row.caller as unknown as Caller;
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
  return (input as readonly unknown[]).map((message, i) => messageOf(message, `input[${i}]`));
}

/** Looks at what the codecs rely on: roles, kinds of parts, and that texts are texts. */
function messageOf(message: unknown, place: string): Message {
  if (!isObject(message) || typeof message["role"] !== "string" || !roles.has(message["role"]))
    throw invalid(`${place}.role`, `one of ${[...roles].join(", ")} is expected.`);
  const allowed = partsOf[message["role"]] ?? [];
  const content = message["content"];
  if (typeof content === "string" && allowed.includes("text"))
    return { ...message, content: [{ type: "text", text: content }] } as unknown as Message;
  if (!Array.isArray(content)) throw invalid(`${place}.content`, "a list of parts is expected, or a text.");
  content.forEach((part: unknown, i) => {
    const at = `${place}.content[${i}]`;
    if (!isObject(part) || typeof part["type"] !== "string" || !allowed.includes(part["type"]))
      throw invalid(`${at}.type`, `one of ${allowed.join(", ")} is expected.`);
    for (const field of textFields[part["type"]] ?? [])
      if (typeof part[field] !== "string") throw invalid(`${at}.${field}`, "a text is expected.");
    if (part["type"] === "tool-result" && !Array.isArray(part["content"])) throw invalid(`${at}.content`, "a list of parts is expected.");
    if (part["type"] === "media" && !isObject(part["source"])) throw invalid(`${at}.source`, "an object is expected.");
  });
  return message as unknown as Message;
}
const textFields: Readonly<Record<string, readonly string[]>> = {
  text: ["text"],
  reasoning: ["text"],
  refusal: ["text"],
  media: ["mediaType"],
  "tool-call": ["id", "name", "arguments"],
  "tool-result": ["callId"],
};

const fields: { readonly [K in keyof Required<RunRequest>]: true } = {
  model: true,
  input: true,
  tools: true,
  maxSteps: true,
  timeoutMs: true,
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

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function whole(field: string, value: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > most) throw invalid(field, `a whole number from 1 to ${most} is expected.`);
  return value;
}
function invalid(field: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${what}`, { details: { field } });
}
