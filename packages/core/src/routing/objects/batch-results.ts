import { batchLine, vendorObject, type BatchLineEntry, type VendorObjectRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { append, update, type RecordStore, type Scope } from "../../ports/index.js";
import type { BatchResult } from "../../seams/index.js";
import { utf8 } from "../../util/json.js";
import { cutText } from "../../util/well-formed.js";
import { open, type ObjectRecords } from "./object-records.js";

const PAGE = 200;

/** What became of the requests of batches: a log for each batch, written only by whoever holds it. */
export class BatchResults {
  readonly #store: RecordStore;
  readonly #records: ObjectRecords;

  constructor(store: RecordStore, records: ObjectRecords) {
    this.#store = store;
    this.#records = records;
  }

  async *read(batchId: string, scope: Scope): AsyncGenerator<BatchResult> {
    for (let afterSeq = 0; ; ) {
      const page = await this.#store.read(batchLine, batchId, { afterSeq, limit: PAGE }, scope, this.#records.within());
      for (const { entry } of page) yield entry;
      if (page.length < PAGE) return;
      afterSeq = page[page.length - 1]!.seq;
    }
  }

  /** The ids of the requests that have ended. */
  async ended(row: Pick<VendorObjectRow, "id" | "projectId">): Promise<Set<string>> {
    const ids = new Set<string>();
    for await (const { customId } of this.read(row.id, { projects: [row.projectId] })) ids.add(customId);
    return ids;
  }

  /** Adds results and counts them, while the batch is still held by this attempt. Errors: `lease_lost`. */
  async add(row: Pick<VendorObjectRow, "id" | "projectId" | "attempt">, results: readonly BatchResult[]): Promise<void> {
    if (results.length === 0) return;
    const { projectId } = row;
    const entries = results.map((result): BatchLineEntry => ({ ...result, requestId: cutText(result.requestId, 64), projectId }));
    const failed = results.filter(({ ok }) => !ok).length;
    const [written] = await this.#store.commit(
      [
        {
          scope: { projects: [projectId] },
          writes: [
            update(vendorObject, row.id, {
              change: { add: { completed: results.length - failed, failed } },
              where: { attempt: row.attempt, status: { in: open } },
            }),
            append(batchLine, row.id, { entries }),
          ],
        },
      ],
      this.#records.within(),
    );
    if (!written!.ok) throw new GatewayError("lease_lost", "Another process goes on with this batch.");
  }

  /** The lines of OpenAI's output file, or of its error file. Source: https://platform.openai.com/docs/api-reference/batch/request-output */
  async *lines(batchId: string, o: { readonly ok: boolean; readonly projectId: string }): AsyncGenerator<Uint8Array> {
    for await (const result of this.read(batchId, { projects: [o.projectId] })) if (result.ok === o.ok) yield utf8(lineOf(result));
  }
}

function lineOf({ customId, status, requestId, body }: BatchResult): string {
  const head = `{"id":${JSON.stringify(`batch_req_${requestId}`)},"custom_id":${JSON.stringify(customId)}`;
  // The body is JSON as it was answered: it is not read and written again.
  if (body !== "")
    return `${head},"response":{"status_code":${status},"request_id":${JSON.stringify(requestId)},"body":${body.trim()}},"error":null}\n`;
  const code = status === CANCELLED ? "batch_cancelled" : "batch_expired";
  return `${head},"response":null,"error":{"code":"${code}","message":"This request was not made before the batch was over."}}\n`;
}

/** A request that was never made has no body, and one of these as its status. */
export const CANCELLED = 499;
export const EXPIRED = 504;
