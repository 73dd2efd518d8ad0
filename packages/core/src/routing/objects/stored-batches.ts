import { mayCallModel } from "../../access/grants.js";
import type { Caller, Json, Usage } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { vendorObject, type VendorObjectRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, type Write } from "../../ports/index.js";
import type { NativeBatch, Provider, Providers } from "../../providers/index.js";
import type {
  Batches,
  BatchFace,
  BatchRequest,
  BatchResult,
  CallOptions,
  NewBatch,
  ObjectList,
  ObjectPage,
  Services,
  StoredBatch,
} from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { collectBytes } from "../../util/encoding/join-bytes.js";
import { mayNameHandles } from "../lanes/prepare/vendor-handles.js";
import { resolve, type Target } from "../resolve.js";
import { checkRequests, readBatchFile, readRequests, writeRequests } from "./batch-input.js";
import { checkEndpoint, type BatchCalls } from "./batch-calls.js";
import type { BatchResults } from "./batch-results.js";
import { contentRemovals, contentWrites, readContent } from "./file-contents.js";
import type { JobPlaces } from "./job-places.js";
import { jobUsage } from "./job-usage.js";
import { hasHardBudget } from "../../policy/money/budget-set.js";
import { fetchNative, isForVendor, nativeLines } from "./native-batch.js";
import { isOpen, open, scopeOf, storedCaller, type ObjectRecords } from "./object-records.js";
import type { BatchEnd, OwnBatch } from "./own-batch.js";
import type { StoredFiles } from "./stored-files.js";

const DAY_MS = 86_400_000;
/** How long the files of results are kept. */
const RESULTS_MS = 30 * DAY_MS;
const POLL_TIMEOUT_MS = 120_000;
const POLL_EVERY_MS = 30_000;
const CLOSEST_POLLS_MS = 1_000;
const SUBMIT_MS = 300_000;

export interface StoredBatchesOptions {
  readonly providers: Providers;
  readonly snapshot: () => Snapshot;
  readonly records: ObjectRecords;
  readonly places: JobPlaces;
  readonly files: StoredFiles;
  readonly results: BatchResults;
  readonly calls: BatchCalls;
  readonly own: OwnBatch;
  /** Whether calls of a model are looked into on their way: then they are made here, one by one. */
  readonly isRead: (model: string, caller: Caller) => boolean;
  /** Something is due: whoever follows batches need not wait. */
  readonly kick: () => void;
}

/** What the row of a batch says that no other has. */
interface BatchData {
  readonly endpoint: string;
  readonly window: string;
  readonly metadata: Readonly<Record<string, Json>> | null;
  readonly inputFileId: string | null;
  /** Of the requests as we keep them. */
  readonly inputBytes: number;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  /** The vendor's id of the model, in a vendor's own batch. */
  readonly code: string;
  /** A vendor makes it. */
  readonly isNative: boolean;
}

/** Batches: a row, the requests beside it, and a log of results. Whoever takes the row works it off, or asks the vendor that does. */
export class StoredBatches implements Batches {
  readonly #services: Services;
  readonly #o: StoredBatchesOptions;

  constructor(services: Services, options: StoredBatchesOptions) {
    this.#services = services;
    this.#o = options;
  }

  async create(batch: NewBatch, o: CallOptions): Promise<StoredBatch> {
    checkEndpoint(batch.endpoint);
    const { clock } = this.#services;
    const { caller } = o;
    const fileId = "fileId" in batch.requests ? batch.requests.fileId : null;
    const requests =
      "fileId" in batch.requests
        ? readBatchFile(await this.#o.files.bytes(batch.requests.fileId, caller), batch.endpoint)
        : checkRequests(batch.requests);
    const native = this.#nativeFor(requests, { endpoint: batch.endpoint, caller });
    const input = writeRequests(requests);
    const id = newId(batch.face === "messages" ? "msgbatch" : "batch");
    const data: BatchData = {
      ...{ endpoint: batch.endpoint, window: batch.window ?? "24h", metadata: batch.metadata ?? null, inputFileId: fileId },
      ...{ inputBytes: input.length, outputFileId: null, errorFileId: null, code: native?.code ?? "", isNative: native !== null },
    };
    const models = new Set(requests.map(({ body }) => String(body["model"])));
    const { row } = await this.#o.records.create(
      {
        ...{ id, projectId: caller.projects[0], kind: "batch", purpose: batch.face, data: { ...data }, caller: storedCaller(caller) },
        ...{
          total: requests.length,
          model: models.size === 1 ? [...models][0]!.slice(0, 300) : null,
          expiresAtMs: clock.now() + RESULTS_MS,
        },
        // One that is handed to a vendor is nobody's until it was.
        readyAtMs: native === null ? clock.now() : clock.now() + SUBMIT_MS,
      },
      contentWrites(id, input, caller.projects[0]),
    );
    if (native !== null) return view(await this.#submit(row, { requests, native, o }));
    this.#o.kick();
    return view(row);
  }

  async get(id: string, face: BatchFace, caller: Caller): Promise<StoredBatch> {
    const row = await this.#row(id, face, caller);
    if (isOpen(row) && dataOf(row).isNative) await this.#hurry(row);
    return view(row);
  }

  async list(page: ObjectPage, face: BatchFace, caller: Caller): Promise<ObjectList<StoredBatch>> {
    const { items, hasMore } = await this.#o.records.list("batch", { ...page, purpose: face }, caller);
    return { items: items.map(view), hasMore };
  }

  async cancel(id: string, face: BatchFace, caller: Caller): Promise<StoredBatch> {
    const row = await this.#row(id, face, caller);
    const set = { cancelRequested: true, readyAtMs: this.#services.clock.now() };
    const isWorked = row.startedAtMs !== null && !dataOf(row).isNative;
    const asked = isOpen(row)
      ? // Whoever works it off sees it when it renews its lease; taking the lease away would make somebody else begin.
        await this.#o.records.change(row, { set: isWorked ? { cancelRequested: true } : set }, { where: { status: { in: open } } })
      : null;
    this.#o.kick();
    return view(asked ?? row);
  }

  async results(id: string, face: BatchFace, caller: Caller): Promise<AsyncIterable<BatchResult>> {
    const row = await this.#row(id, face, caller);
    return this.#o.results.read(row.id, scopeOf(caller));
  }

  async remove(id: string, face: BatchFace, caller: Caller): Promise<void> {
    const row = await this.#row(id, face, caller);
    if (isOpen(row)) throw new GatewayError("conflict", "The batch is not over.", { hint: "Cancel it first." });
    await this.#o.records.remove(row, contentRemovals(row.id, dataOf(row).inputBytes));
  }

  /** One batch that was taken: works it off, or asks its vendor. Errors: `lease_lost`, `cancelled`, and what keeps it from going on. */
  async follow(row: VendorObjectRow, signal: AbortSignal): Promise<void> {
    if (dataOf(row).isNative) return this.#followNative(row, signal);
    const { clock } = this.#services;
    const change = { set: { status: "running" as const, startedAtMs: row.startedAtMs ?? clock.now() } };
    const held = await this.#o.records.change(row, change, { where: { attempt: row.attempt, status: { in: open } } });
    if (held === null) return;
    const requests = await this.#requests(held);
    const end: BatchEnd = await this.#o.own.work(held, requests, signal);
    await this.#finish(held, { status: end, usage: null, error: null });
  }

  /** Somebody wants to know: the vendor is asked soon, though not for every question. */
  async #hurry(row: VendorObjectRow): Promise<void> {
    const nowMs = this.#services.clock.now();
    if (row.ref === null || nowMs - row.updatedAtMs < CLOSEST_POLLS_MS || row.readyAtMs <= nowMs) return;
    await this.#o.records.change(row, { set: { readyAtMs: nowMs } }, { where: { attempt: row.attempt, status: { in: open } } });
    this.#o.kick();
  }

  async #row(id: string, face: BatchFace, caller: Caller): Promise<VendorObjectRow> {
    const row = await this.#o.records.get(id, "batch", caller);
    if (row.purpose === face) return row;
    throw new GatewayError("not_found", "There is no batch of this id.", { hint: "It was made in another dialect." });
  }

  async #requests(row: VendorObjectRow): Promise<BatchRequest[]> {
    const { store } = this.#services;
    const { records } = this.#o;
    const caller: Caller = { kind: "system", id: "system", name: "", projects: [row.projectId], grants: [] };
    return readRequests(await collectBytes(readContent(row.id, dataOf(row).inputBytes, { store, caller, within: () => records.within() })));
  }

  /** The one provider with batches of its own that all requests name models of; null: the gateway makes them. Errors: `forbidden` for a model that is not granted. */
  #nativeFor(
    requests: readonly BatchRequest[],
    { endpoint, caller }: { readonly endpoint: string; readonly caller: Caller },
  ): Native | null {
    const { routes, records } = this.#o.snapshot();
    const targets = new Map<string, Target>();
    for (const name of new Set(requests.map(({ body }) => String(body["model"])))) {
      const { name: full, names, targets: found } = resolve(name, { providers: this.#o.providers, routes, caller });
      if (!mayCallModel(caller, { name: full, names }))
        throw new GatewayError("forbidden", `This key may not use the model "${full}".`, { hint: `Grant it models:${full}.` });
      if (found.length !== 1 || name.startsWith("route/") || this.#o.isRead(full, caller)) return null;
      targets.set(name, found[0]!);
    }
    const all = [...targets.values()];
    const { provider, code } = all[0]!;
    if (provider.operations.batches?.endpoints.includes(endpoint) !== true || all.some((each) => each.provider !== provider)) return null;
    // What a vendor does by itself nobody stops when the money is spent.
    if (hasHardBudget(records, caller, provider.name)) return null;
    const isBound = !mayNameHandles(caller) && provider.reach.kind === "http" && !provider.reach.rawIds;
    const bound = isBound ? this.#o.calls.codecOf(endpoint) : null;
    if (!requests.every((request) => isForVendor(request, endpoint, bound))) return null;
    return { provider, code: all.length === 1 ? code : "", codes: new Map([...targets].map(([name, each]) => [name, each.code])) };
  }

  async #submit(
    row: VendorObjectRow,
    { requests, native, o }: { requests: readonly BatchRequest[]; native: Native; o: CallOptions },
  ): Promise<VendorObjectRow> {
    const { clock } = this.#services;
    const { records, places } = this.#o;
    const { endpoint, window } = dataOf(row);
    const key = native.provider.keys.pick(new Set(), clock.now());
    const place = { provider: native.provider.name, keyPrint: places.print(key) };
    try {
      const { context } = places.at({ ...place, data: row.data }, o);
      const lines = nativeLines(requests, { endpoint, codes: native.codes });
      const begun = await native.provider.operations.batches!.submit({ endpoint, lines, window }, context);
      const set = { ...place, ref: begun.ref, startedAtMs: clock.now(), readyAtMs: clock.now() + POLL_EVERY_MS };
      // Whoever took it meanwhile has ended it: nobody knew whether the vendor has it.
      const where = { attempt: row.attempt, status: { in: open } };
      return (await records.change(row, { set: { ...set, status: statusOf(begun) } }, { where })) ?? records.get(row.id, "batch", o.caller);
    } catch (error) {
      await records.remove(row, contentRemovals(row.id, dataOf(row).inputBytes), { attempt: row.attempt, status: { in: open } });
      throw error;
    }
  }

  async #followNative(row: VendorObjectRow, signal: AbortSignal): Promise<void> {
    const { clock } = this.#services;
    if (row.ref === null) {
      const message = "The gateway ended while the batch was handed over; whether the vendor has it, nobody knows.";
      return this.#finish(row, { status: "failed", usage: null, error: { code: "outcome_unknown", message } });
    }
    const { provider, context } = this.#o.places.at(row, { signal, deadlineMs: clock.now() + POLL_TIMEOUT_MS });
    const batches = provider.operations.batches!;
    const data = dataOf(row);
    const isCancelSent = row.data["isCancelSent"] === true;
    const native = row.cancelRequested && !isCancelSent ? await batches.cancel(row.ref, context) : await batches.poll(row.ref, context);
    if (native.status === "queued" || native.status === "running") {
      const set = { status: native.status, readyAtMs: clock.now() + POLL_EVERY_MS, data: { ...data, isCancelSent: row.cancelRequested } };
      await this.#o.records.change(row, { set }, { where: { attempt: row.attempt } });
      return;
    }
    const codec = this.#o.calls.codecOf(data.endpoint);
    const { usage } = await fetchNative(row, native, {
      ...{ results: this.#o.results, codec, endpoint: data.endpoint, context },
      read: (ref, at) => batches.read(ref, at),
    });
    await this.#finish(row, { status: native.status, usage, error: native.error ?? null });
  }

  /** Status, the files of the results, and what a vendor's own batch cost, in one unit. */
  async #finish(
    row: VendorObjectRow,
    o: { readonly status: VendorObjectRow["status"]; readonly usage: Usage | null; readonly error: VendorObjectRow["error"] },
  ): Promise<void> {
    const { clock } = this.#services;
    const nowMs = clock.now();
    const data = dataOf(row);
    const { completed, failed } = await this.#counts(row);
    const output = completed > 0 ? this.#resultFile(row, { ok: true, nowMs }) : null;
    const errors = failed > 0 ? this.#resultFile(row, { ok: false, nowMs }) : null;
    const more: Write[] = [output, errors].flatMap((file) => (file === null ? [] : [file.write]));
    if (o.usage !== null) {
      const model = row.provider === null ? null : (this.#o.providers.get(row.provider)?.model(data.code) ?? null);
      more.push(
        jobUsage(row, {
          ...{ operation: "batch", code: data.code, usage: o.usage, nowMs, partial: o.status !== "succeeded" },
          ...{ status: o.status === "succeeded" ? 200 : 502, costNanoUsd: model?.costNanoUsd(o.usage) ?? null },
        }),
      );
    }
    const set = {
      ...{ status: o.status, error: o.error, finishedAtMs: nowMs },
      data: { ...data, outputFileId: output?.id ?? null, errorFileId: errors?.id ?? null },
    };
    await this.#o.records.change(row, { set }, { where: { attempt: row.attempt, status: { in: open } }, more });
  }

  async #counts(row: VendorObjectRow): Promise<{ readonly completed: number; readonly failed: number }> {
    const { store } = this.#services;
    const now = await store.get(vendorObject, row.id, { projects: [row.projectId] }, this.#o.records.within());
    return { completed: now?.completed ?? 0, failed: now?.failed ?? 0 };
  }

  #resultFile(
    row: VendorObjectRow,
    { ok, nowMs }: { readonly ok: boolean; readonly nowMs: number },
  ): { readonly id: string; readonly write: Write } {
    const id = newId("file");
    const filename = `${row.id}_${ok ? "output" : "error"}.jsonl`;
    const data = { filename, mediaType: "application/jsonl", bytes: 0, from: { batchId: row.id, ok } };
    const write = insert(vendorObject, {
      ...{
        id,
        projectId: row.projectId,
        kind: "file",
        status: "succeeded",
        purpose: "batch_output",
        model: null,
        provider: null,
        ref: null,
      },
      ...{ keyPrint: null, caller: row.caller, data, error: null, total: 0, completed: 0, failed: 0, readyAtMs: 0, attempt: 0 },
      ...{
        cancelRequested: false,
        expiresAtMs: nowMs + RESULTS_MS,
        idempotencyKey: null,
        payloadHash: "",
        startedAtMs: null,
        finishedAtMs: nowMs,
      },
    });
    return { id, write };
  }
}

interface Native {
  readonly provider: Provider;
  readonly code: string;
  /** The vendor's ids by the names that the requests have. */
  readonly codes: ReadonlyMap<string, string>;
}

function statusOf({ status }: NativeBatch): VendorObjectRow["status"] {
  // What is over already is fetched by whoever follows it.
  return status === "queued" || status === "running" ? status : "running";
}

function dataOf(row: Pick<VendorObjectRow, "data">): BatchData {
  return row.data as unknown as BatchData;
}

function view(row: VendorObjectRow): StoredBatch {
  const { endpoint, window, metadata, inputFileId, outputFileId, errorFileId } = dataOf(row);
  return {
    ...{ id: row.id, endpoint, status: row.status, cancelRequested: row.cancelRequested, window, metadata, model: row.model },
    ...{ inputFileId, outputFileId, errorFileId, error: row.error, total: row.total, completed: row.completed, failed: row.failed },
    ...{ createdAtMs: row.createdAtMs, startedAtMs: row.startedAtMs, finishedAtMs: row.finishedAtMs },
    expiresAtMs: row.createdAtMs + DAY_MS,
  };
}
