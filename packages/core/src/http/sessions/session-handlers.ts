import type { Caller, HttpAnswer, Usage } from "../../calls/index.js";
import { session, type SessionRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { fromMessage, sessionRoutes, toMessage, toUsageView, toView, type RouteOutput } from "../../routes/index.js";
import type { Sessions, StoredMessage } from "../../sessions/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler, readInput } from "../faces/rest-face.js";
import { expectedVersion, keyedHandler, otherVersion, type Idempotency } from "../resources/index.js";

/** The sessions of a caller; undefined: this gateway keeps none. */
export type SessionsOf = ((caller: Caller) => Sessions) | undefined;

const encoder = new TextEncoder();
const NEWEST = 100;
const ignore = (): void => undefined;

export function sessionHandlers(sessionsOf: SessionsOf, idempotency: Idempotency): Readonly<Record<keyof typeof sessionRoutes, Handler>> {
  const of = ({ caller }: Exchange): Sessions => mustHave(sessionsOf)(caller);
  return {
    create: keyedHandler(sessionRoutes.create, { idempotency }, async ({ body }, x: Exchange) => {
      const { user_id: userId, agent_id: agentId, messages, ...rest } = body;
      const sessions = of(x);
      const row = await sessions.create({ ...rest, userId, agentId });
      if (messages === undefined) return viewOf(row);
      // Not made with half of what was asked for.
      await sessions.append(row.id, messages.map(toMessage)).catch(async (error: unknown) => {
        await sessions.delete(row.id).catch(ignore);
        throw error;
      });
      return viewOf(await theSession(sessions, row.id));
    }),
    update: jsonHandler(sessionRoutes.update, async ({ params, query, headers, body }, x: Exchange) => {
      const expected = expectedVersion({ ifMatch: headers["if-match"], ifVersion: [query.if_version] });
      const updated = of(x).update(params.id, body, { ifVersion: expected?.version });
      return viewOf(
        await updated.catch((error: unknown) => {
          if (expected === null || !GatewayError.is(error, "conflict")) throw error;
          throw otherVersion(expected.code, error.details?.["version"]);
        }),
      );
    }),
    messages: jsonHandler(sessionRoutes.messages, async ({ params, query }, x: Exchange) => {
      const { after, limit } = query;
      const page = await of(x).messages(params.id, { after, limit, last: query.last === "true" });
      return { data: page.messages.map(toMessageView), next_after: page.next };
    }),
    append: keyedHandler(sessionRoutes.append, { idempotency }, async ({ params, body }, x: Exchange) => {
      const { firstSeq, lastSeq } = await of(x).append(params.id, body.messages.map(toMessage), { ifLast: body.if_last });
      return { first_seq: firstSeq, last_seq: lastSeq };
    }),
    branch: keyedHandler(sessionRoutes.branch, { idempotency }, async ({ params, body }, x: Exchange) =>
      viewOf(await of(x).branch(params.id, { atSeq: body.at_seq, title: body.title })),
    ),
    export: async (x) => {
      const { params, query } = await readInput(sessionRoutes.export, x);
      return exported(params.id, query.format, await of(x).export(params.id, { format: query.format }));
    },
    listOne: jsonHandler(sessionRoutes.listOne, async ({ query }, x: Exchange) => {
      const { rows, next } = await of(x).list({ userId: query.user_id, limit: query.limit, cursor: query.cursor });
      return { data: rows.map(viewOf), next_cursor: next };
    }),
    getOne: jsonHandler(sessionRoutes.getOne, async ({ params }, x: Exchange) => {
      const sessions = of(x);
      const row = await theSession(sessions, params.id);
      const { messages } = await sessions.messages(params.id, { limit: NEWEST, last: true });
      return { ...viewOf(row), messages: messages.map(toMessageView) };
    }),
    removeOne: jsonHandler(sessionRoutes.removeOne, async ({ params }, x: Exchange) => {
      await of(x).delete(params.id, { requestId: x.requestId });
      return { id: params.id, deleted: true as const };
    }),
  };
}

/** Errors: `not_found` of a gateway that keeps no sessions. */
export function mustHave(sessionsOf: SessionsOf): NonNullable<SessionsOf> {
  if (sessionsOf !== undefined) return sessionsOf;
  throw new GatewayError("not_found", "This gateway keeps no sessions.");
}

/** Errors: `not_found`. */
export async function theSession(sessions: Sessions, id: string): Promise<SessionRow> {
  const row = await sessions.get(id);
  if (row !== null) return row;
  throw new GatewayError("not_found", "There is no such session, or you may not see it.", {
    hint: "GET /api/v1/sessions lists those that you may.",
  });
}

function viewOf(row: SessionRow): RouteOutput<typeof sessionRoutes.update> {
  return toView(session, row as unknown as Readonly<Record<string, unknown>>) as RouteOutput<typeof sessionRoutes.update>;
}

function toMessageView({ seq, createdAtMs, message, author, model, usage, runId }: StoredMessage) {
  return {
    seq,
    created_at_ms: createdAtMs,
    message: fromMessage(message),
    author,
    model,
    usage: usage === null ? null : toUsageView(usage as Usage),
    run_id: runId,
  };
}

/** A failure after the first piece breaks the connection, so that nobody takes half a file for a whole one. */
function exported(id: string, format: "json" | "markdown", pieces: AsyncIterable<string>): HttpAnswer {
  const [type, ending] = format === "json" ? ["application/json", "json"] : ["text/markdown; charset=utf-8", "md"];
  return {
    status: 200,
    headers: [
      ["content-type", type as string],
      ["content-disposition", `attachment; filename="${id}.${ending}"`],
      ["cache-control", "no-store"],
      ["x-content-type-options", "nosniff"],
    ],
    body: { kind: "frames", frames: encoded(pieces) },
    done: ignore,
  };
}
async function* encoded(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) yield encoder.encode(piece);
}
