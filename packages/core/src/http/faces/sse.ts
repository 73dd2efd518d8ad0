import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";

/** Of every event stream of ours: no cache keeps it, no proxy or middleware holds or compresses it. */
export const sseHeaders: Headers = [
  ["content-type", "text/event-stream"],
  ["cache-control", "no-cache, no-transform"],
  ["x-accel-buffering", "no"],
];

export interface SseEvent {
  readonly id: number;
  /** A name without line breaks. */
  readonly event: string;
  readonly data: unknown;
}
export interface SseOptions {
  readonly clock: Clock;
  readonly requestId: string;
  /** Longest silence before a comment line tells proxies and readers that the stream lives. 15,000 when left out. */
  readonly heartbeatMs?: number | undefined;
  /** Told what broke the stream off; the reader gets it as an `error` event. */
  readonly onError: (error: GatewayError) => void;
}

const encoder = new TextEncoder();
const heartbeat = encoder.encode(": keep-alive\n\n");
const HEARTBEAT_MS = 15_000;

/**
 * One SSE frame an event, in order. Ends when the source ends; a source that throws ends the stream with an `error` event in the shape of our errors. Whoever leaves early aborts the
 * source's own signal first: a generator that waits cannot be returned.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function* sseFrames(events: AsyncIterable<SseEvent>, o: SseOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const source = events[Symbol.asyncIterator]();
  const silenceMs = o.heartbeatMs ?? HEARTBEAT_MS;
  try {
    let next = source.next();
    for (;;) {
      const result = await within(next, o.clock, silenceMs);
      if (result === null) {
        yield heartbeat;
        continue;
      }
      if (result.done === true) return;
      yield encodeEvent(result.value);
      next = source.next();
    }
  } catch (error) {
    const known = GatewayError.from(error);
    o.onError(known);
    yield encoder.encode(`event: error\ndata: ${JSON.stringify({ error: { ...known.toJSON(), request_id: o.requestId } })}\n\n`);
  } finally {
    await source.return?.();
  }
}

function encodeEvent(event: SseEvent): Uint8Array {
  return encoder.encode(`id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`);
}

/** What the promise gives, or null when it takes longer. */
function within<T>(promise: Promise<T>, clock: Clock, ms: number): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.at(clock.now() + ms, () => resolve(null));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  });
}
