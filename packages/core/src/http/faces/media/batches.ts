import type { Json } from "../../../calls/index.js";
import type { batchRoutes } from "../../../routes/index.js";
import type { Batches, StoredBatch } from "../../../seams/index.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { Fields, invalid, unsupported } from "../../../wire/shared/fields.js";
import { jsonAnswer } from "../../answers.js";
import { callOptions, type Exchange, type Handler } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";
import { decodeParam } from "../params.js";
import { listView, objectPage, seconds } from "./object-page.js";

/** OpenAI's batches. */
export function batchesFace(batches: () => Batches): Readonly<Record<keyof typeof batchRoutes, Handler>> {
  const id = (x: Exchange): string => decodeParam(x.params, "id");
  return {
    create: async (x) => {
      const fields = new Fields(parseCallerJson(await readJsonBytes(x.inbound, x.maxBodyBytes)));
      const window = fields.string("completion_window");
      if (window !== "24h") throw invalid("completion_window", 'must be "24h"');
      const batch = {
        ...{ face: "file" as const, endpoint: fields.string("endpoint"), requests: { fileId: fields.string("input_file_id") }, window },
        metadata: fields.optionalObject("metadata") as Readonly<Record<string, Json>> | undefined,
      };
      fields.raw("output_expires_after");
      const unknown = Object.keys(fields.rest() ?? {})[0];
      if (unknown !== undefined) throw unsupported(unknown, "is not known of batches");
      return jsonAnswer(200, view(await batches().create(batch, callOptions(x))));
    },
    list: async (x) => {
      const { items, hasMore } = await batches().list(objectPage(x, { usual: 20, most: 100 }), "file", x.caller);
      return jsonAnswer(200, listView(items.map(view), hasMore));
    },
    get: async (x) => jsonAnswer(200, view(await batches().get(id(x), "file", x.caller))),
    cancel: async (x) => jsonAnswer(200, view(await batches().cancel(id(x), "file", x.caller))),
  };
}

function statusOf({ status, cancelRequested }: StoredBatch): string {
  if (status === "succeeded") return "completed";
  if (status !== "queued" && status !== "running") return status;
  if (cancelRequested) return "cancelling";
  return status === "queued" ? "validating" : "in_progress";
}

function view(batch: StoredBatch) {
  const at = (status: StoredBatch["status"]): number | null => (batch.status === status ? seconds(batch.finishedAtMs) : null);
  return {
    ...{ id: batch.id, object: "batch", endpoint: batch.endpoint, model: batch.model ?? undefined, status: statusOf(batch) },
    errors: batch.error === null ? null : { object: "list", data: [{ ...batch.error, line: null, param: null }] },
    ...{ input_file_id: batch.inputFileId, output_file_id: batch.outputFileId, error_file_id: batch.errorFileId },
    ...{ completion_window: batch.window, metadata: batch.metadata, created_at: seconds(batch.createdAtMs) },
    ...{ in_progress_at: seconds(batch.startedAtMs), expires_at: seconds(batch.expiresAtMs), finalizing_at: seconds(batch.finishedAtMs) },
    ...{ completed_at: at("succeeded"), failed_at: at("failed"), expired_at: at("expired"), cancelled_at: at("cancelled") },
    cancelling_at: null,
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
  };
}
