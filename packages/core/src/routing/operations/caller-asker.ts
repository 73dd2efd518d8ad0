import {
  fold,
  type Caller,
  type MediaBytes,
  type ModelCall,
  type ModelEvent,
  type OperationName,
  type Operations,
  type VideoCall,
} from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import type { AskOptions, Film, ModelAsker, VideoOptions } from "../../providers/index.js";
import type { CallOptions, ModelCaller, StoredVideo, Videos } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { KeepAlive } from "../../util/keep-alive.js";
import { untilAborted } from "../../util/until-aborted.js";
import { collectBytes } from "../../util/encoding/join-bytes.js";

export interface CallerAskerOptions {
  readonly models: ModelCaller;
  readonly videos: Videos;
  readonly clock: Clock;
  /** Who asks. */
  readonly caller: Caller;
  readonly requestMs: () => number;
  /** Resolves when the gateway is started. */
  readonly ready: () => Promise<void>;
}

const LOOK_EVERY_MS = 2_000;
/** A film takes minutes. */
const FILM_MS = 3_600_000;
const never = new AbortController().signal;

/** Asks models in code, for one caller: starts the gateway when it has to, and gives every call its time. */
export class CallerAsker implements ModelAsker {
  readonly #o: CallerAskerOptions;
  readonly #keepAlive = new KeepAlive();

  constructor(options: CallerAskerOptions) {
    this.#o = options;
  }

  async generate(call: ModelCall, o: AskOptions = {}) {
    const { events, done } = await this.#begin(call, o);
    try {
      const answer = await fold(events);
      done("sent");
      return answer;
    } catch (error) {
      done("failed", GatewayError.from(error).code);
      throw error;
    }
  }

  async *stream(call: ModelCall, o: AskOptions = {}): AsyncGenerator<ModelEvent> {
    // Who stops reading ends the call, whatever the vendor is doing.
    const left = new AbortController();
    const onAbort = (): void => left.abort(o.signal?.reason);
    o.signal?.addEventListener("abort", onAbort);
    if (o.signal?.aborted === true) onAbort();
    let how: "sent" | "left" | "failed" = "left";
    let done: ((how: "sent" | "left" | "failed") => void) | null = null;
    try {
      const begun = await this.#begin(call, { ...o, signal: left.signal });
      ({ done } = begun);
      for await (const event of begun.events) yield event;
      how = "sent";
    } catch (error) {
      how = "failed";
      throw error;
    } finally {
      o.signal?.removeEventListener("abort", onAbort);
      if (how === "left") left.abort(new GatewayError("cancelled", "The reader went away."));
      done?.(how);
    }
  }

  async operate<K extends OperationName>(name: K, call: Operations[K]["call"], o: AskOptions = {}): Promise<Operations[K]["answer"]> {
    await this.#o.ready();
    return (await this.#o.models.operate(name, call, this.#options(o))).answer;
  }

  async film(call: VideoCall, o: VideoOptions = {}): Promise<Film> {
    await this.#o.ready();
    const { video } = await this.#o.videos.begin(call, { ...this.#options(o), idempotencyKey: o.idempotencyKey });
    return this.#film(video);
  }

  #film(video: StoredVideo): Film {
    const { videos } = this.#o;
    const { id, status, progress, error } = video;
    const again = async (o: AskOptions = {}): Promise<Film> => this.#film(await videos.get(id, this.#options(o)));
    return {
      ...{ id, status, progress, error },
      refresh: again,
      wait: (o = {}) => this.#wait(this.#film(video), o),
      bytes: async (o = {}): Promise<MediaBytes> => {
        const { mediaType, chunks } = await videos.content(id, this.#options(o));
        return { mediaType, bytes: await collectBytes(chunks) };
      },
      cancel: async (o = {}) => this.#film(await videos.cancel(id, this.#options(o))),
    };
  }

  async #wait(film: Film, o: AskOptions): Promise<Film> {
    const { clock } = this.#o;
    const endMs = clock.now() + (o.timeoutMs ?? FILM_MS);
    for (let now = film; ; now = await now.refresh({ signal: o.signal })) {
      if (now.status === "succeeded") return now;
      if (now.status !== "queued" && now.status !== "running")
        throw new GatewayError("upstream_rejected", `The film was not made: ${now.error?.message ?? now.status}`, {
          details: { status: now.status, ...(now.error === null ? {} : { code: now.error.code }) },
        });
      if (clock.now() >= endMs)
        throw new GatewayError("deadline_exceeded", "The film was not there in time.", {
          hint: "It is still being made: ask for it by its id.",
        });
      let cancel = (): void => undefined;
      // Somebody waits for it: a timer alone keeps no process.
      this.#keepAlive.acquire();
      const pause = new Promise<void>((resolve) => (cancel = clock.at(clock.now() + LOOK_EVERY_MS, resolve)));
      try {
        await (o.signal === undefined ? pause : untilAborted(pause, o.signal));
      } catch (error) {
        throw GatewayError.is(error) ? error : new GatewayError("cancelled", "The wait was cancelled.", { cause: error });
      } finally {
        cancel();
        this.#keepAlive.release();
      }
    }
  }

  async #begin(call: ModelCall, o: AskOptions) {
    await this.#o.ready();
    const { body, done } = await this.#o.models.call(call, this.#options(o));
    if (body.kind !== "events") throw new GatewayError("internal", "A model call was not answered with events.");
    return { events: body.events, done };
  }

  #options(o: AskOptions): CallOptions {
    return {
      ...{ caller: this.#o.caller, requestId: newId("req"), signal: o.signal ?? never, depth: 0 },
      deadlineMs: this.#o.clock.now() + (o.timeoutMs ?? this.#o.requestMs()),
    };
  }
}
