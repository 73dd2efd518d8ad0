import type OpenAI from "openai";
import type { NativeBatch, NativeBatches } from "../../operations.js";
import { withClient } from "./client.js";

const statuses: Readonly<Record<OpenAI.Batch["status"], NativeBatch["status"]>> = {
  validating: "queued",
  in_progress: "running",
  finalizing: "running",
  cancelling: "running",
  completed: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  expired: "expired",
};

/** Source: https://platform.openai.com/docs/api-reference/batch */
export const openaiBatches: NativeBatches = {
  endpoints: ["/v1/chat/completions", "/v1/responses", "/v1/embeddings"],
  submit: ({ endpoint, lines, window }, context) =>
    withClient(context, async (client, { toFile }) => {
      const file = await client.files.create({
        purpose: "batch",
        file: await toFile(lines, "batch.jsonl", { type: "application/jsonl" }),
      });
      const batch = await client.batches.create({
        input_file_id: file.id,
        endpoint: endpoint as "/v1/chat/completions",
        completion_window: window as "24h",
      });
      return toNative(batch);
    }),
  poll: (ref, context) => withClient(context, async (client) => toNative(await client.batches.retrieve(ref))),
  cancel: (ref, context) => withClient(context, async (client) => toNative(await client.batches.cancel(ref))),
  read: (fileRef, context) =>
    withClient(context, async (client) => {
      const response = await client.files.content(fileRef);
      return chunksOf(new Uint8Array(await response.arrayBuffer()));
    }),
};

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function toNative(batch: OpenAI.Batch): NativeBatch {
  const { request_counts: counts, output_file_id: outputRef, error_file_id: errorRef } = batch;
  const problem = batch.errors?.data?.[0];
  return {
    ref: batch.id,
    status: statuses[batch.status] ?? "running",
    ...(counts === undefined || counts === null ? {} : { counts }),
    ...(outputRef === undefined || outputRef === null ? {} : { outputRef }),
    ...(errorRef === undefined || errorRef === null ? {} : { errorRef }),
    ...(problem === undefined ? {} : { error: { code: problem.code ?? "batch_failed", message: problem.message ?? "" } }),
  };
}
