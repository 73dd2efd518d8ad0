import { ownUserOf, seesEveryUser } from "../access/index.js";
import { checkedMessage, type Caller, type Message } from "../calls/index.js";
import { newSession, sessionChange, sessionMcp, type SessionMcp, type SessionRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { now, nowPlus, type NewRow, type StoreNow } from "../ports/index.js";
import type { Seams } from "../seams/index.js";
import { checkJson } from "../util/json-checks/check-json.js";
import { newId } from "../util/ids.js";

/** What a session is made with; all of it may be left out. */
export interface NewSession {
  readonly title?: string | null | undefined;
  /** `provider/model` or `route/<name>`: of turns that name no other. */
  readonly model?: string | null | undefined;
  readonly instructions?: string | null | undefined;
  readonly mcp?: Partial<SessionMcp> | undefined;
  readonly metadata?: SessionRow["metadata"] | undefined;
  /** Left out: the caller's own user. */
  readonly userId?: string | undefined;
  readonly agentId?: string | undefined;
}
/** What is left out stays. */
export interface SessionChange extends Omit<NewSession, "userId" | "agentId"> {
  /** Sequence numbers of messages that every window keeps. */
  readonly pinned?: readonly number[] | undefined;
}
type Fresh = { readonly [K in keyof NewRow<SessionRow>]: NewRow<SessionRow>[K] | StoreNow } & { readonly id: string };

const MAX_MESSAGES = 1_000;
const MAX_BYTES = 16_777_216;

/** The row of a new session. Errors: `validation_failed`, `model_not_found`, `forbidden` for another user's. */
export function freshSession(input: NewSession, caller: Caller, o: { readonly seams: Seams; readonly ttlMs: number }): Fresh {
  const { title, model, instructions, mcp, metadata, userId, agentId } = parsed(newSession, input);
  if (userId !== undefined && userId !== ownUserOf(caller) && !seesEveryUser(caller))
    throw new GatewayError("forbidden", "The caller may make sessions of its own user alone.", {
      hint: "Leave userId out.",
      details: { field: "userId" },
    });
  return {
    id: newId("session"),
    projectId: caller.projects[0],
    title: title ?? null,
    userId: userId ?? ownUserOf(caller) ?? null,
    agentId: agentId ?? null,
    provider: providerOf(model ?? null, caller, o.seams),
    model: model ?? null,
    instructions: instructions ?? null,
    mcp: mcp ?? sessionMcp.parse({}),
    status: "active",
    messageCount: 0,
    bytes: 0,
    lastSeq: 0,
    lastMessageAtMs: null,
    parentId: null,
    branchSeq: null,
    pinned: [],
    summary: null,
    summarySeq: 0,
    summaryUntilMs: 0,
    turnId: null,
    lastAccessedAtMs: now,
    expiresAtMs: nowPlus(o.ttlMs),
    metadata: metadata ?? {},
  };
}

/** The fields that a change sets. Errors: `validation_failed`, `model_not_found`. */
export function changedFields(
  change: SessionChange,
  caller: Caller,
  o: { readonly seams: Seams; readonly row: SessionRow },
): Partial<SessionRow> {
  const { model, pinned, ...rest } = parsed(sessionChange, change);
  if (pinned?.some((seq) => seq > o.row.lastSeq)) throw invalid("pinned", "names a message that is not there.");
  const set = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Partial<SessionRow>;
  return {
    ...set,
    ...(pinned === undefined ? {} : { pinned: [...new Set(pinned)].sort((a, b) => a - b) }),
    ...(model === undefined ? {} : { model, provider: providerOf(model, caller, o.seams) }),
  };
}

/** Messages to be appended. Errors: `validation_failed`, `payload_too_large`. */
export function checkedMessages(given: unknown): Message[] {
  const list: unknown = typeof given === "string" ? [{ role: "user", content: given }] : given;
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_MESSAGES)
    throw invalid("messages", `a list of 1 to ${MAX_MESSAGES} messages is expected.`);
  checkJson(list, { what: "messages", maxBytes: MAX_BYTES });
  return list.map((message, i) => checkedMessage(message, `messages[${i}]`));
}

/** Whose model it is. Errors: `model_not_found` for one that the caller may not call, or that there is not. */
function providerOf(model: string | null, caller: Caller, seams: Seams): string | null {
  if (model === null) return null;
  const found = seams.models.get().find(caller, model);
  if (found !== null) return found.provider.slice(0, 100);
  throw new GatewayError("model_not_found", `There is no model "${model}" that the caller may call.`, {
    hint: "GET /v1/models lists those that it may.",
    details: { model },
  });
}

/** What is looked at by a schema. */
interface Schema<T> {
  safeParse(given: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] };
      };
}

function parsed<T>(schema: Schema<T>, given: unknown): T {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(issue?.path.map(String).join(".") || "session", issue?.message ?? "is not as expected.");
}

export function invalid(field: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${what}`, { details: { field } });
}
