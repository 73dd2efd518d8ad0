import type { OutputFormat, StoredRunEvent, Usage } from "../../calls/index.js";
import type { SessionRow } from "../../entities/index.js";
import { GatewayError, type ErrorCode } from "../../errors/index.js";
import { chatRoutes, toMessage, toRunEventView, toUsageView, type RouteInput } from "../../routes/index.js";
import type { InputMessage, RunRequest, Services } from "../../seams/index.js";
import type { Sessions } from "../../sessions/index.js";
import { jsonAnswer } from "../answers.js";
import type { Exchange, Handler } from "../exchange.js";
import { readInput } from "../faces/rest-face.js";
import { sseFrames, sseHeaders, type SseEvent } from "../faces/sse.js";
import type { Idempotency } from "../resources/index.js";
import { mustHave, theSession, type SessionsOf } from "./session-handlers.js";

type Asked = RouteInput<typeof chatRoutes.chat>;
type Operation = NonNullable<Asked["query"]["operation"]>;
type RunEnd = Extract<StoredRunEvent, { type: "run.succeeded" | "run.failed" | "run.cancelled" }>;

/** What a turn is once it has begun. */
interface Place {
  readonly runId: string;
  /** null: the turn is in none. */
  readonly sessionId: string | null;
}
interface ChatOptions {
  readonly services: Services;
  readonly sessionsOf: SessionsOf;
  readonly idempotency: Idempotency;
}

/**
 * A turn as a run: in a session, which is made where a conversation names none, or by itself. Under an `Idempotency-Key` it begins once; whoever repeats it is answered from the same run, also while that is under
 * way, and with the same failure when it failed.
 */
export function chatHandlers(o: ChatOptions): Readonly<Record<keyof typeof chatRoutes, Handler>> {
  const { services, idempotency } = o;
  return {
    chat: async (x) => {
      const asked = await readInput(chatRoutes.chat, x);
      const operation = operationOf(asked);
      const key = asked.headers["idempotency-key"];
      if (key === undefined)
        return answer(services, { x, asked, operation, place: await begin(o, { x, asked, operation }), isReplayed: false });
      const keyed = idempotency.keyed(x, { key, route: chatRoutes.chat.name, payload: [asked.query, asked.body] });
      const create = async () => ({ ...(await begin(o, { x, asked, operation })) });
      const { body, replayed } = await idempotency.run(keyed, { status: 200, showOnce: () => false, create });
      return answer(services, { x, asked, operation, place: body as unknown as Place, isReplayed: replayed });
    },
  };
}

async function begin(
  { services, sessionsOf }: ChatOptions,
  { x, asked, operation }: { readonly x: Exchange; readonly asked: Asked; readonly operation: Operation },
): Promise<Place> {
  const request = toRequest(asked, operation);
  const runs = services.seams.runs.get();
  if (operation !== "conversation") return { runId: (await runs.start(request, x.caller)).id, sessionId: null };
  const sessions = mustHave(sessionsOf)(x.caller);
  const { id, isNew } = await sessionOf(sessions, asked);
  try {
    return { runId: (await runs.start({ ...request, session: id }, x.caller)).id, sessionId: id };
  } catch (error) {
    // What could not begin leaves nothing behind; what may have begun needs its session.
    const mayHaveBegun = GatewayError.from(error).details?.["outcome"] === "unknown";
    if (isNew && !mayHaveBegun) await sessions.delete(id).catch(() => undefined);
    throw error;
  }
}

/** Errors: `unsupported_feature` for what there is not yet, `validation_failed`. */
function operationOf({ query }: Asked): Operation {
  const { agent_id: agent, task_id: task, session, operation } = query;
  if (agent !== undefined || task !== undefined)
    throw new GatewayError(
      "unsupported_feature",
      `${agent === undefined ? "task_id" : "agent_id"}: chats of ${agent === undefined ? "tasks" : "agents"} are not there yet.`,
      {
        hint: "Leave it out, and name a model or a session.",
        details: { field: agent === undefined ? "task_id" : "agent_id" },
      },
    );
  const meant = operation ?? (session === undefined ? "chat" : "conversation");
  if (session !== undefined && meant !== "conversation")
    throw invalid("session", `a ${meant} keeps nothing; name operation=conversation, or leave the session out.`);
  return meant;
}

function toRequest({ query, body }: Asked, operation: Operation): RunRequest {
  const { system_message: system, user_message: user, messages = [], mcp_config: mcp } = body;
  const said: InputMessage[] = [...messages.map(toMessage), ...(user === undefined ? [] : [{ role: "user" as const, content: user }])];
  if (said.length === 0) throw invalid("user_message", "a user_message, or messages, are expected.");
  const rules = operation === "conversation" ? [] : [...(system === undefined ? [] : [system]), ...(mcp?.instructions ?? [])];
  const model = modelOf(query);
  if (model === undefined && query.session === undefined) throw invalid("model", "is needed where no session is named.");
  return {
    model,
    input: [...rules.map((content) => ({ role: "system" as const, content })), ...said],
    tools: mcp?.tools,
    temperature: body.temperature,
    maxOutputTokens: body.max_tokens,
    format: formatOf(body.response_format),
  };
}

function modelOf({ provider, model }: Asked["query"]): string | undefined {
  if (provider === undefined) return model;
  if (model === undefined) throw invalid("model", "is needed beside a provider.");
  return `${provider}/${model}`;
}

function formatOf(format: Asked["body"]["response_format"]): OutputFormat | undefined {
  if (format === undefined) return undefined;
  if (typeof format === "string" || format.type !== "json_schema") {
    const type = typeof format === "string" ? format : format.type;
    return type === "text" ? { type: "text" } : { type: "json" };
  }
  const { name, schema, strict } = format.json_schema;
  return {
    type: "json-schema",
    name,
    schema: schema as Extract<OutputFormat, { type: "json-schema" }>["schema"],
    ...(strict === undefined ? {} : { strict }),
  };
}

/** The session that the turn is in: the one that is named, with what the request says of its later turns, or a new one. */
async function sessionOf(sessions: Sessions, asked: Asked): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const { query, body } = asked;
  const kept = {
    ...(body.system_message === undefined ? {} : { instructions: body.system_message }),
    ...(body.mcp_config === undefined ? {} : { mcp: body.mcp_config }),
  };
  if (query.session === undefined) {
    const made = await sessions.create({ ...kept, model: modelOf(query), userId: body.user_id });
    return { id: made.id, isNew: true };
  }
  const row: SessionRow = await theSession(sessions, query.session);
  if (body.user_id !== undefined && row.userId !== body.user_id)
    throw new GatewayError("not_found", "The user has no such session.", { details: { id: row.id } });
  // A turn that another run has goes on with what it began with.
  if (Object.keys(kept).length > 0) await sessions.update(row.id, kept, { ifFree: true });
  return { id: row.id, isNew: false };
}

interface Begun {
  readonly x: Exchange;
  readonly asked: Asked;
  readonly operation: Operation;
  readonly place: Place;
  /** It began with an earlier request. */
  readonly isReplayed: boolean;
}

async function answer(services: Services, begun: Begun): Promise<ReturnType<typeof jsonAnswer>> {
  const { x, asked, isReplayed } = begun;
  const { runId, sessionId } = begun.place;
  const events = services.seams.runs.get().events(runId, { caller: x.caller, after: 0, signal: x.inbound.signal });
  const replayed: [string, string][] = isReplayed ? [["idempotency-replayed", "true"]] : [];
  if (!asked.body.stream) {
    const whole = jsonAnswer(200, await wholeOf(events, { ...begun, services }));
    return { ...whole, headers: [...whole.headers, ...replayed] };
  }
  const frames = sseFrames(toSse(events), {
    clock: services.clock,
    requestId: x.requestId,
    onError: ({ code }) => services.log.warn("a chat's stream broke off", { requestId: x.requestId, runId, code }),
  });
  const headers: [string, string][] = [
    ["x-run-id", runId],
    ...(sessionId === null ? [] : [["x-session-id", sessionId] as [string, string]]),
    ...replayed,
  ];
  return { status: 200, headers: [...sseHeaders, ...headers], body: { kind: "frames", frames }, done: () => undefined };
}

async function* toSse(events: AsyncIterable<StoredRunEvent>): AsyncGenerator<SseEvent, void, undefined> {
  for await (const event of events) yield { id: event.seq, event: event.type, data: toRunEventView(event) };
}

/** The run's end as one answer. Errors: what it failed with; `deadline_exceeded` when it is still at it, as one that waits for a person is. */
async function wholeOf(events: AsyncIterable<StoredRunEvent>, { x, operation, place, services }: Begun & { readonly services: Services }) {
  const { runId, sessionId } = place;
  let model = "";
  let end: RunEnd | null = null;
  const late = lateAfter(x, { runId, services });
  try {
    const reading = events[Symbol.asyncIterator]();
    for (
      let next = await Promise.race([reading.next(), late.promise]);
      next.done !== true;
      next = await Promise.race([reading.next(), late.promise])
    ) {
      const event = next.value;
      if (event.type === "step.started") model = event.model;
      if (event.type === "run.succeeded" || event.type === "run.failed" || event.type === "run.cancelled") end = event;
    }
  } finally {
    late.cancel();
  }
  if (end === null) throw new GatewayError("cancelled", "The caller left before the run ended; it goes on.", { details: { runId } });
  if (end.type === "run.failed") throw new GatewayError(end.code as ErrorCode, end.message, { details: { runId, step: end.step } });
  if (end.type === "run.cancelled") throw new GatewayError("cancelled", `The run was cancelled: ${end.reason}`, { details: { runId } });
  const usage = toUsageView(end.usage as Usage);
  return {
    run_id: runId,
    session_id: sessionId,
    operation,
    model,
    message: { role: "assistant" as const, content: end.text },
    usage,
    steps: end.steps,
  };
}

function lateAfter(
  x: Exchange,
  { runId, services }: { readonly runId: string; readonly services: Services },
): { readonly promise: Promise<never>; readonly cancel: () => void } {
  let cancel = (): void => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    const error = new GatewayError("deadline_exceeded", "The run is not at its end yet; it goes on.", {
      hint: `GET /api/v1/runs/${runId} says how it stands, and its events what it does. It may wait for a person: see the inbox.`,
      details: { runId },
    });
    cancel = services.clock.at(x.deadlineMs, () => reject(error));
  });
  promise.catch(() => undefined);
  return { promise, cancel };
}

function invalid(field: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${what}`, { details: { field } });
}
