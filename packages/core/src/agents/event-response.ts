import type { StoredRunEvent } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";

export interface EventResponseOptions {
  readonly events: (signal: AbortSignal) => AsyncIterable<StoredRunEvent>;
  readonly view: (event: StoredRunEvent) => unknown;
  readonly headers: Readonly<Record<string, string>>;
}

const encoder = new TextEncoder();
/** Proxies close what is silent for too long. */
const KEEP_ALIVE_MS = 15_000;
const keepAlive = encoder.encode(": keep-alive\n\n");

/** A stream of run events as a web Response: read only as fast as it is taken, and left when the reader leaves. An error after the head is an `error` event. */
export function eventResponse(o: EventResponseOptions): Response {
  const left = new AbortController();
  const source = o.events(left.signal)[Symbol.asyncIterator]();
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(keepAlive);
      }, KEEP_ALIVE_MS);
      // Whoever reads keeps the process alive; this must not.
      if (typeof timer === "object") timer.unref();
    },
    async pull(controller) {
      try {
        const next = await source.next();
        if (next.done !== true) return controller.enqueue(encode(next.value, o.view(next.value)));
      } catch (error) {
        const known = GatewayError.from(error);
        controller.enqueue(encoder.encode(`event: error\ndata: ${JSON.stringify({ error: known.toJSON() })}\n\n`));
      }
      clearInterval(timer);
      controller.close();
    },
    async cancel() {
      clearInterval(timer);
      left.abort();
      await source.return?.();
    },
  });
  return new Response(body, {
    headers: {
      ...o.headers,
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

function encode(event: StoredRunEvent, view: unknown): Uint8Array {
  return encoder.encode(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(view)}\n\n`);
}
