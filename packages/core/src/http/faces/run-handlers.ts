import type { StoredRunEvent } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { RunRow } from "../../entities/index.js";
import { runRoutes, toMessage, toRunEventView, toRunSummaryView, toRunView } from "../../routes/index.js";
import type { RunRequest, RunStarter, Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { eventHandler, jsonHandler } from "./rest-face.js";
import { sseFrames, sseHeaders, type SseEvent } from "./sse.js";

type CreateBody = Parameters<Parameters<typeof jsonHandler<typeof runRoutes.create, Exchange>>[1]>[0]["body"];

/** The runs of our REST face. */
export function runHandlers(services: Services): Readonly<Record<keyof typeof runRoutes, Handler>> {
  const runs = (): RunStarter => services.seams.runs.get();
  return {
    create: jsonHandler(runRoutes.create, async ({ body, headers }, x: Exchange) => {
      const row = await runs().start(toRunRequest(body, headers["idempotency-key"]), x.caller);
      return { id: row.id, status: row.status };
    }),
    list: jsonHandler(runRoutes.list, async ({ query }, x: Exchange) => {
      const page = await runs().list(x.caller, query);
      return { data: page.rows.map(toRunSummaryView), next_cursor: page.next };
    }),
    get: jsonHandler(runRoutes.get, async ({ params }, x: Exchange) => toRunView(await theRun(runs(), params.id, x))),
    events: eventHandler(runRoutes.events, async ({ params, query, headers }, x) => {
      await theRun(runs(), params.id, x);
      // A reader that reconnects by itself repeats its address and adds what it saw last.
      const after = headers["last-event-id"] ?? query.after ?? 0;
      const events = runs().events(params.id, { caller: x.caller, after, signal: x.inbound.signal });
      const frames = sseFrames(toSse(events), {
        clock: services.clock,
        requestId: x.requestId,
        onError: (error) =>
          services.log.warn("a stream of run events broke off", { requestId: x.requestId, runId: params.id, code: error.code }),
      });
      return { status: runRoutes.events.output.status, headers: sseHeaders, body: { kind: "frames", frames }, done: () => undefined };
    }),
    cancel: jsonHandler(runRoutes.cancel, async ({ params, body }, x: Exchange) => {
      const row = await runs().cancel(params.id, { caller: x.caller, reason: body.reason ?? "cancelled by its caller" });
      return { id: row.id, status: row.status };
    }),
  };
}

function toRunRequest(body: CreateBody, headerKey: string | undefined): RunRequest {
  if (headerKey !== undefined && body.idempotency_key !== undefined && headerKey !== body.idempotency_key)
    throw new GatewayError("validation_failed", "idempotency_key: differs from the Idempotency-Key header", {
      hint: "Send one of the two.",
    });
  return {
    model: body.model,
    session: body.session,
    input: typeof body.input === "string" ? body.input : body.input.map(toMessage),
    tools: body.tools,
    maxSteps: body.max_steps,
    timeoutMs: body.timeout_ms,
    idempotencyKey: body.idempotency_key ?? headerKey,
  };
}

async function theRun(runs: RunStarter, id: string, x: Exchange): Promise<RunRow> {
  const row = await runs.get(id, x.caller);
  if (row === null)
    throw new GatewayError("not_found", "There is no such run.", { hint: "GET /api/v1/runs lists those of the key's projects." });
  return row;
}

async function* toSse(events: AsyncIterable<StoredRunEvent>): AsyncGenerator<SseEvent, void, undefined> {
  for await (const event of events) yield { id: event.seq, event: event.type, data: toRunEventView(event) };
}
