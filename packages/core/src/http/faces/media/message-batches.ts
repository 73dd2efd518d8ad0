import type { Json } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { messageBatchRoutes } from "../../../routes/index.js";
import type { Batches, BatchRequest, BatchResult, StoredBatch } from "../../../seams/index.js";
import { utf8 } from "../../../util/json.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { Fields, unsupported } from "../../../wire/shared/fields.js";
import { jsonAnswer } from "../../answers.js";
import { callOptions, type Exchange, type Handler } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";
import { pageSize } from "../page-size.js";
import { decodeParam } from "../params.js";
import { framesAnswer } from "./media-answer.js";

const face = "messages";
const RESULTS_MS = 29 * 86_400_000;

/** Anthropic's batches of messages. */
export function messageBatchesFace(batches: () => Batches): Readonly<Record<keyof typeof messageBatchRoutes, Handler>> {
  const id = (x: Exchange): string => decodeParam(x.params, "id");
  const view = (x: Exchange, batch: StoredBatch) => batchView(batch, resultsUrl(x, batch.id));
  return {
    create: async (x) => {
      const fields = new Fields(parseCallerJson(await readJsonBytes(x.inbound, x.maxBodyBytes)));
      const requests = fields.list("requests").map((each, at): BatchRequest => {
        const request = new Fields(each, `requests[${at}]`);
        return { customId: request.string("custom_id"), body: paramsOf(request) };
      });
      const unknown = Object.keys(fields.rest() ?? {})[0];
      if (unknown !== undefined) throw unsupported(unknown, "is not known of batches");
      return jsonAnswer(200, view(x, await batches().create({ face, endpoint: "/v1/messages", requests }, callOptions(x))));
    },
    list: async (x) => {
      const query = new URLSearchParams(x.inbound.query);
      if (query.get("before_id") !== null) throw unsupported("before_id", "is not known here: page forward with after_id");
      const after = query.get("after_id");
      const page = { limit: pageSize(query, "limit", { usual: 20, most: 1000 }), order: "desc" as const };
      const { items, hasMore } = await batches().list(after === null ? page : { ...page, after }, face, x.caller);
      const data = items.map((batch) => view(x, batch));
      return jsonAnswer(200, { data, has_more: hasMore, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
    },
    get: async (x) => jsonAnswer(200, view(x, await batches().get(id(x), face, x.caller))),
    cancel: async (x) => jsonAnswer(200, view(x, await batches().cancel(id(x), face, x.caller))),
    results: async (x) => {
      const { finishedAtMs } = await batches().get(id(x), face, x.caller);
      if (finishedAtMs === null)
        throw new GatewayError("conflict", "The batch is not over.", { hint: "Ask until processing_status is ended." });
      return framesAnswer(resultLines(await batches().results(id(x), face, x.caller)), "application/x-jsonl", []);
    },
    delete: async (x) => {
      await batches().remove(id(x), face, x.caller);
      return jsonAnswer(200, { id: id(x), type: "message_batch_deleted" });
    },
  };
}

function paramsOf(request: Fields): Readonly<Record<string, Json>> {
  const params = request.fields("params");
  params.string("model");
  return request.optionalObject("params") as Readonly<Record<string, Json>>;
}

/** Where the SDK fetches the results: this very gateway, under the name that it was called by. */
function resultsUrl(x: Exchange, id: string): string {
  const { inbound } = x;
  const scheme = inbound.header("x-forwarded-proto")?.split(",")[0]?.trim() === "https" ? "https" : "http";
  return `${scheme}://${inbound.header("host") ?? "localhost"}${inbound.basePath}/v1/messages/batches/${id}/results`;
}

function batchView(batch: StoredBatch, url: string) {
  const isOver = batch.finishedAtMs !== null;
  const missing = Math.max(0, batch.total - batch.completed - batch.failed);
  const cut = batch.status === "cancelled" || batch.status === "expired" ? batch.failed : 0;
  return {
    ...{ id: batch.id, type: "message_batch" },
    processing_status: isOver ? "ended" : batch.cancelRequested ? "canceling" : "in_progress",
    request_counts: {
      processing: isOver ? 0 : missing,
      succeeded: batch.completed,
      errored: batch.failed - cut,
      canceled: batch.status === "cancelled" ? cut : 0,
      expired: batch.status === "expired" ? cut : 0,
    },
    ...{ created_at: iso(batch.createdAtMs), expires_at: iso(batch.expiresAtMs ?? batch.createdAtMs), ended_at: iso(batch.finishedAtMs) },
    ...{ cancel_initiated_at: batch.cancelRequested ? iso(batch.finishedAtMs ?? batch.createdAtMs) : null },
    archived_at: isOver && batch.createdAtMs + RESULTS_MS < Date.now() ? iso(batch.createdAtMs + RESULTS_MS) : null,
    results_url: isOver ? url : null,
  };
}

function iso(ms: number): string;
function iso(ms: number | null): string | null;
function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

async function* resultLines(results: AsyncIterable<BatchResult>): AsyncGenerator<Uint8Array> {
  for await (const { customId, ok, status, body } of results) {
    const head = `{"custom_id":${JSON.stringify(customId)},"result":`;
    // A body is JSON as it was answered; one that is empty was never asked for.
    if (ok) yield utf8(`${head}{"type":"succeeded","message":${body.trim()}}}\n`);
    else if (body !== "") yield utf8(`${head}{"type":"errored","error":${body.trim()}}}\n`);
    else yield utf8(`${head}{"type":"${status === 499 ? "canceled" : "expired"}"}}\n`);
  }
}
