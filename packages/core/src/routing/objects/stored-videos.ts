import type { Caller, VideoCall, VideoJob } from "../../calls/index.js";
import type { VendorObjectRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Write } from "../../ports/index.js";
import { download } from "../../providers/index.js";
import type { CallOptions, ObjectContent, ObjectList, ObjectPage, Services, StoredVideo, Videos } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { payloadHash } from "../../util/payload-hash.js";
import { untilAborted } from "../../util/until-aborted.js";
import { cutText } from "../../util/well-formed.js";
import { decodeBase64, encodeBase64 } from "../../wire/shared/base64.js";
import type { RoutingModelCaller } from "../model-caller.js";
import { contentRemovals, contentWrites, readContent } from "./file-contents.js";
import type { JobPlaces } from "./job-places.js";
import { jobUsage } from "./job-usage.js";
import { isOpen, open, storedCaller, type ObjectRecords } from "./object-records.js";

/** Whoever begins a film says within this time what became of it; afterwards nobody knows. */
const BEGIN_MS = 900_000;
const POLL_TIMEOUT_MS = 30_000;
/** Nobody asks a vendor more often than this for one film. */
const CLOSEST_POLLS_MS = 1_000;
const FIRST_POLL_MS = 2_000;
const LONGEST_POLL_MS = 30_000;
/** No film takes longer. */
const GIVE_UP_MS = 86_400_000;
/** How long one that is over is kept here; its vendor may let it go sooner. */
const KEPT_MS = 30 * 86_400_000;
const never = new AbortController().signal;

export interface StoredVideosOptions {
  readonly models: Pick<RoutingModelCaller, "operateAt">;
  readonly records: ObjectRecords;
  readonly places: JobPlaces;
}

/** What the row of a film says that no other has. */
interface VideoData {
  /** The vendor's id of the model. */
  readonly code: string;
  readonly prompt: string;
  readonly seconds: number | null;
  readonly size: string | null;
  readonly progress: number;
  /** Where the vendor has it; never told. */
  readonly url?: string;
  readonly mediaType?: string;
  /** How long it is when we have it ourselves. */
  readonly bytes?: number;
}

/**
 * Films: a call that begins one, and a row that is followed until it is there. State is in the row alone, so that any process goes on after a restart. A film is settled once, together with the usage row
 * that says what it cost, whoever sees it end first.
 */
export class StoredVideos implements Videos {
  readonly #services: Services;
  readonly #o: StoredVideosOptions;

  constructor(services: Services, options: StoredVideosOptions) {
    this.#services = services;
    this.#o = options;
  }

  async begin(call: VideoCall, o: CallOptions & { readonly idempotencyKey?: string | undefined }): ReturnType<Videos["begin"]> {
    const { clock, crypto } = this.#services;
    const { records } = this.#o;
    const { image } = call;
    const payload = { ...call, image: image === undefined ? null : { type: image.mediaType, data: encodeBase64(image.bytes) } };
    const digest = (bytes: Uint8Array): Uint8Array => crypto.sha256(bytes);
    const data: VideoData = { code: "", prompt: call.prompt, seconds: call.seconds ?? null, size: call.size ?? null, progress: 0 };
    const { row, created } = await records.create({
      ...{ id: newId("video"), projectId: o.caller.projects[0], kind: "video", purpose: "video", data: { ...data } },
      ...{ model: cutText(call.model, 300), caller: storedCaller(o.caller), readyAtMs: clock.now() + BEGIN_MS },
      // Its caller's own: what another one of the project calls the same is another film.
      idempotencyKey: o.idempotencyKey === undefined ? null : `video:${payloadHash([o.caller.id, o.idempotencyKey], digest)}`,
      payloadHash: payloadHash(payload, digest),
    });
    if (!created) return { video: view(row), headers: [] };
    try {
      const begun = await this.#o.models.operateAt("video", call, o);
      const { provider, code } = begun.target;
      const place = {
        provider: provider.name,
        keyPrint: this.#o.places.print(begun.key),
        ref: begun.answer.ref,
        model: cutText(begun.target.id, 300),
      };
      const set = { ...place, data: { ...data, code }, startedAtMs: clock.now(), readyAtMs: clock.now() + FIRST_POLL_MS };
      const changed = await records.change(row, { set }, { where: { status: { in: open } } });
      if (changed === null) throw new GatewayError("outcome_unknown", "The film was begun, and its row is gone.");
      return { video: view(await this.#settle(changed, begun.answer)), headers: begun.headers };
    } catch (error) {
      // Nothing was begun that anybody could follow: the same key may be tried again. What another process made of it meanwhile stands.
      await records.remove(row, [], { attempt: row.attempt, status: { in: open } });
      throw error;
    }
  }

  async get(id: string, o: CallOptions): Promise<StoredVideo> {
    const row = await this.#o.records.get(id, "video", o.caller);
    const isFresh = row.attempt > 0 && this.#services.clock.now() - row.updatedAtMs < CLOSEST_POLLS_MS;
    if (!isOpen(row) || row.ref === null || isFresh) return view(row);
    return view(await this.#poll(row, o));
  }

  async list(page: ObjectPage, caller: Caller): Promise<ObjectList<StoredVideo>> {
    const { items, hasMore } = await this.#o.records.list("video", page, caller);
    return { items: items.map(view), hasMore };
  }

  async content(id: string, o: CallOptions): Promise<ObjectContent> {
    const { store } = this.#services;
    const { records, places } = this.#o;
    let row = await records.get(id, "video", o.caller);
    if (isOpen(row) && row.ref !== null) row = await this.#poll(row, o);
    const { url, bytes, mediaType = "video/mp4" } = dataOf(row);
    if (row.status !== "succeeded" || (url === undefined && bytes === undefined))
      throw new GatewayError("conflict", `The film is not there: it is ${row.status}.`, {
        hint: "Ask for its status until it is completed.",
      });
    if (url === undefined)
      return { mediaType, chunks: readContent(row.id, bytes!, { store, caller: o.caller, within: () => records.within() }) };
    const { provider, context } = places.at(row, { signal: o.signal, deadlineMs: o.deadlineMs });
    const job: VideoJob = { ref: row.ref!, model: row.model!, status: "succeeded", videos: [{ mediaType, url }], usage: {} };
    const own = provider.operations.videos?.download;
    const film = own === undefined ? await download(url, context) : await own(job, context);
    // Stores of files often call everything the same.
    return /^(?:video|image)\//.test(film.mediaType) ? film : { ...film, mediaType };
  }

  async cancel(id: string, o: CallOptions): Promise<StoredVideo> {
    const row = await this.#o.records.get(id, "video", o.caller);
    return view(isOpen(row) ? await this.#cancel(row, o) : row);
  }

  async remove(id: string, o: CallOptions): Promise<void> {
    let row = await this.#o.records.get(id, "video", o.caller);
    if (isOpen(row)) row = await this.#cancel(row, o);
    await this.#o.records.remove(row, contentRemovals(row.id, dataOf(row).bytes ?? 0));
  }

  /** One film that is due, for whoever follows them until `signal` fires. Never rejects. */
  async follow(row: VendorObjectRow, signal: AbortSignal): Promise<void> {
    const { clock, events } = this.#services;
    try {
      if (row.ref === null) await this.#end(row, { status: "failed", error: unknown() });
      else if (clock.now() - row.createdAtMs > GIVE_UP_MS) await this.#end(row, { status: "expired", error: overdue() });
      else await this.#poll(row, { signal, deadlineMs: clock.now() + POLL_TIMEOUT_MS });
    } catch (error) {
      events.emit("internal.error", { where: "following a film", error });
    }
  }

  /** Asks the vendor. One that cannot be asked now leaves the film as it was; one that knows nothing of it has lost it. */
  async #poll(row: VendorObjectRow, o: { readonly signal: AbortSignal; readonly deadlineMs: number }): Promise<VendorObjectRow> {
    const { clock, log } = this.#services;
    const deadlineMs = Math.min(o.deadlineMs, clock.now() + POLL_TIMEOUT_MS);
    try {
      const { provider, context } = this.#o.places.at(row, { signal: o.signal, deadlineMs });
      const following = provider.operations.videos;
      if (following === undefined) throw new GatewayError("misconfigured", `The provider "${provider.name}" follows no films.`);
      return await this.#settle(row, await untilAborted(following.poll(row.ref!, context), o.signal));
    } catch (error) {
      const known = GatewayError.from(error);
      if (o.signal.aborted) return row;
      if (known.code === "internal" || known.code === "store_unavailable") throw known;
      log.warn("a film could not be asked after", { videoId: row.id, provider: row.provider, code: known.code });
      if (known.code !== "upstream_rejected") return row;
      return this.#end(row, { status: "failed", error: { code: known.code, message: cutText(known.message, 500) } });
    }
  }

  async #settle(row: VendorObjectRow, job: VideoJob): Promise<VendorObjectRow> {
    const { clock } = this.#services;
    if (job.status === "queued" || job.status === "running") {
      const ageMs = clock.now() - row.createdAtMs;
      const readyAtMs = clock.now() + Math.min(LONGEST_POLL_MS, Math.max(FIRST_POLL_MS, ageMs / 10));
      const data = { ...dataOf(row), progress: job.progress ?? dataOf(row).progress };
      const set = { status: job.status, data, readyAtMs: Math.round(readyAtMs) };
      const where = { attempt: row.attempt, status: { in: open } };
      return (await this.#o.records.change(row, { set, add: { attempt: 1 } }, { where })) ?? this.#again(row);
    }
    return this.#end(row, job);
  }

  /** The film is over: status, content and cost in one unit, while it was not over before. */
  async #end(
    row: VendorObjectRow,
    end: Pick<VideoJob, "error"> & Partial<Pick<VideoJob, "videos" | "usage">> & { readonly status: VendorObjectRow["status"] },
  ): Promise<VendorObjectRow> {
    const { clock } = this.#services;
    const nowMs = clock.now();
    const film = end.videos?.[0];
    const bytes = film?.data === undefined ? undefined : decodeBase64(film.data);
    const kept = dataOf(row);
    const data = {
      ...kept,
      progress: end.status === "succeeded" ? 100 : kept.progress,
      ...(film === undefined ? {} : { mediaType: film.mediaType }),
      ...(bytes !== undefined ? { bytes: bytes.length } : film?.url === undefined ? {} : { url: film.url }),
    };
    const more: Write[] = [this.#usageOf(row, end, nowMs), ...(bytes === undefined ? [] : contentWrites(row.id, bytes, row.projectId))];
    const set = { status: end.status, error: end.error ?? null, data, finishedAtMs: nowMs, expiresAtMs: nowMs + KEPT_MS };
    const where = { attempt: row.attempt, status: { in: open } };
    const changed = await this.#o.records.change(row, { set, add: { attempt: 1 } }, { where, more });
    // Somebody else asked meanwhile: what that one heard is newer.
    return changed ?? this.#again(row);
  }

  #usageOf(
    row: VendorObjectRow,
    end: Pick<VideoJob, "error"> & { readonly usage?: VideoJob["usage"]; readonly status: string },
    nowMs: number,
  ): Write {
    const { code, seconds } = dataOf(row);
    const isThere = end.status === "succeeded";
    // A vendor that does not say how long the film is made it as long as it was asked to.
    const usage = isThere && seconds !== null ? { seconds, ...end.usage } : (end.usage ?? {});
    const model = row.provider === null ? null : this.#modelOf(row);
    return jobUsage(row, {
      ...{ operation: "video", code, usage, nowMs, partial: !isThere, status: isThere ? 200 : 502 },
      costNanoUsd: model?.costNanoUsd(usage) ?? null,
    });
  }

  #modelOf(row: VendorObjectRow) {
    try {
      return this.#o.places.at(row, { signal: never, deadlineMs: 0 }).provider.model(dataOf(row).code);
    } catch {
      return null; // whose price was known is no longer there
    }
  }

  async #cancel(row: VendorObjectRow, o: CallOptions): Promise<VendorObjectRow> {
    const { log } = this.#services;
    try {
      const { provider, context } = this.#o.places.at(row, o);
      if (row.ref !== null) await provider.operations.videos?.cancel?.(row.ref, context);
    } catch (error) {
      log.warn("a film could not be cancelled at its vendor", { videoId: row.id, code: GatewayError.from(error).code });
    }
    return this.#end(row, { status: "cancelled", error: { code: "cancelled", message: "It was cancelled." } });
  }

  async #again(row: VendorObjectRow): Promise<VendorObjectRow> {
    const { projectId } = row;
    return this.#o.records.get(row.id, "video", { kind: "system", id: "system", name: "", projects: [projectId], grants: [] });
  }
}

function dataOf(row: Pick<VendorObjectRow, "data">): VideoData {
  return row.data as unknown as VideoData;
}

function unknown(): { readonly code: string; readonly message: string } {
  return { code: "outcome_unknown", message: "The gateway ended while the film was begun; whether it was, nobody knows." };
}
function overdue(): { readonly code: string; readonly message: string } {
  return { code: "upstream_timeout", message: "The vendor did not finish the film within a day." };
}

function view(row: VendorObjectRow): StoredVideo {
  const { prompt, seconds, size, progress } = dataOf(row);
  return {
    ...{ id: row.id, model: row.model ?? "", prompt, status: row.status, progress, seconds, size, error: row.error },
    ...{ createdAtMs: row.createdAtMs, finishedAtMs: row.finishedAtMs, expiresAtMs: row.expiresAtMs },
  };
}
