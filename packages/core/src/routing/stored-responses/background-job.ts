import type { HttpAnswer } from "../../calls/index.js";
import { storedResponse, type StoredResponseRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { CommitQueue } from "../../ports/commit-queue.js";
import { now, nowPlus, update, type Clock, type Unit, type Write } from "../../ports/index.js";
import { fromUtf8, isObject, parseJsonText } from "../../util/json.js";
import { failedText, withStatus } from "./ended.js";
import { ownFrames, ownResponse, providerOf, type Own, type OwnFrame, type OwnResponse } from "./own-response.js";
import { isFinal, unfinished, type ResponseRecords } from "./records.js";

export interface JobOptions {
  readonly queue: CommitQueue;
  readonly clock: Clock;
  readonly records: ResponseRecords;
  readonly row: StoredResponseRow;
  readonly own: Own;
  readonly nodeId: string;
  readonly leaseMs: number;
  readonly controller: AbortController;
  /** There are new events, or it has ended. */
  readonly onNews: () => void;
}

/** Events wait this long at most for others to share a write with. */
const FLUSH_MS = 50;
/** So much unwritten, and the model is made to wait. */
const FLUSH_CHARS = 65_536;
/** Of the events of one response so much is kept; past it only its end is. */
const MAX_JOURNAL_CHARS = 8_388_608;

/**
 * One response that this process makes in the background: its events are written down as they come, and its end with the last of them. Every write is guarded: once somebody else has ended
 * the response, or its lease was lost, nothing more is written and the call is aborted.
 */
export class BackgroundJob {
  readonly #o: JobOptions;
  #response: string;
  #provider: string | null = null;
  #lines: string[] = [];
  #chars = 0;
  #journalled = 0;
  #lastSequence = -1;
  #writing: Promise<void> = Promise.resolve();
  #cancelTimer: (() => void) | null = null;
  #lost = false;
  #isBegun = false;

  constructor(options: JobOptions) {
    this.#o = options;
    this.#response = options.row.response;
  }

  /** What moves the end of the lease, and nothing else. */
  renewal(): Unit {
    return this.#unit({}, []);
  }

  /** Reads the answer to its end. Never rejects: what fails becomes the response's own failure. */
  async run(answer: Promise<HttpAnswer>): Promise<void> {
    let open: HttpAnswer | null = null;
    try {
      open = await answer;
      this.#provider = providerOf(open.headers);
      await this.#read(open);
      open.done("sent");
    } catch (error) {
      const known = GatewayError.from(this.#o.controller.signal.aborted ? this.#o.controller.signal.reason : error);
      open?.done(this.#lost ? "left" : "failed", known.code);
      await this.#fail(known);
    } finally {
      this.#cancelTimer?.();
      this.#o.onNews();
    }
  }

  async #read(answer: HttpAnswer): Promise<void> {
    const { body } = answer;
    if (body.kind === "bytes") return this.#end(ownResponse(body.bytes, this.#o.own));
    if (body.kind === "events") throw new GatewayError("internal", "A relayed call was answered with events.");
    let failure = new GatewayError("upstream_interrupted", "The answer broke off before it was complete.");
    for await (const chunk of body.frames)
      for (const frame of ownFrames(chunk, this.#o.own)) {
        if (frame.response !== null && isFinal(frame.response.status)) return this.#end(frame.response, frame);
        if (frame.type === "error") failure = errorOf(frame);
        await this.#push(frame);
      }
    throw failure;
  }

  async #push(frame: OwnFrame): Promise<void> {
    if (frame.data === null) return;
    if (frame.response !== null) this.#response = withStatus(fromUtf8(frame.response.bytes), "in_progress");
    this.#journal(frame);
    if (this.#chars >= FLUSH_CHARS || !this.#isBegun) await this.#flush();
    else this.#cancelTimer ??= this.#o.clock.at(this.#o.clock.now() + FLUSH_MS, () => void this.#flush().catch(() => undefined));
  }

  #journal({ data, sequence }: OwnFrame): void {
    if (data === null) return;
    this.#lastSequence = Math.max(this.#lastSequence + 1, sequence ?? 0);
    if (this.#journalled > MAX_JOURNAL_CHARS) return;
    this.#lines.push(data);
    this.#chars += data.length;
    this.#journalled += data.length;
  }

  #flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    return (this.#writing = this.#writing.then(() => this.#write({ status: "in_progress", response: this.#response }, [])));
  }

  async #end(response: OwnResponse, frame?: OwnFrame): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#writing;
    this.#journalled = 0; // the end is always kept
    if (frame !== undefined) this.#journal(frame);
    const set = { status: response.status, response: fromUtf8(response.bytes), provider: this.#provider, holder: null };
    await this.#write(set, this.#o.records.itemWrites(this.#o.row, response.itemIds));
  }

  async #write(set: Partial<StoredResponseRow>, more: readonly Write[]): Promise<void> {
    if (this.#lost) throw lostError();
    const lines = this.#lines;
    this.#lines = [];
    this.#chars = 0;
    const { records, row, queue } = this.#o;
    const piece = { lastSequence: this.#lastSequence, events: lines.join("\n") };
    const result = await queue.commit(this.#unit(set, [...(lines.length === 0 ? [] : [records.eventsWrite(row, piece)]), ...more]));
    if (!result.ok) {
      this.#lost = true;
      this.#o.controller.abort(lostError());
      throw lostError();
    }
    this.#isBegun = true;
    this.#o.onNews();
  }

  #unit(set: Partial<StoredResponseRow>, more: readonly Write[]): Unit {
    const { row, nodeId, leaseMs } = this.#o;
    const change = { set: { leaseUntilMs: nowPlus(leaseMs), ...set } };
    const where = { status: { in: unfinished }, holder: nodeId, leaseUntilMs: { gt: now } };
    return { scope: { projects: [row.projectId] }, writes: [update(storedResponse, row.id, { change, where }), ...more] };
  }

  async #fail(error: GatewayError): Promise<void> {
    if (this.#lost) return;
    await this.#writing.catch(() => undefined);
    const response = failedText(this.#response, error);
    // When the store does not take it either, the lease runs out, and whoever asks then is told. Past the lease that is told them already.
    await this.#o.queue.commit(this.#unit({ status: "failed", response }, [])).catch(() => undefined);
  }
}

function lostError(): GatewayError {
  return new GatewayError("cancelled", "The response was ended by somebody else.");
}

/** Source: OpenAI's `ResponseErrorEvent`. */
function errorOf(frame: OwnFrame): GatewayError {
  const event = parseJsonText(frame.data ?? "{}");
  const said = isObject(event) ? (isObject(event["error"]) ? event["error"] : event) : {};
  const message = typeof said["message"] === "string" ? said["message"] : "The answer broke off before it was complete.";
  return new GatewayError("upstream_interrupted", message, { details: { code: said["code"] } });
}
