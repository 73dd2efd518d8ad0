import { GatewayError } from "../errors/index.js";
import type { RunEventView } from "../routes/index.js";
import { SseReader } from "../util/sse.js";
import type { CallOptions, Transport } from "./transport.js";

export interface EventsOptions extends CallOptions {
  /** The last sequence number that was seen; left out: from the start. */
  readonly after?: number | undefined;
}

export const ENDS: ReadonlySet<string> = new Set(["run.succeeded", "run.failed", "run.cancelled"]);
/** How often in a row a stream is taken up again that gave nothing new. */
const TRIES = 5;
const FIRST_PAUSE_MS = 200;

/**
 * The events of a run to its end, each once and in order. A connection that breaks is taken up again after the last event that came. Whoever leaves early ends the connection, not the run.
 * Errors: those of the gateway; `upstream_interrupted` when the stream breaks off several times without a new event.
 */
export async function* runEvents(transport: Transport, id: string, o: EventsOptions = {}): AsyncGenerator<RunEventView, void, undefined> {
  let after = o.after ?? 0;
  for (let failures = 0; failures < TRIES; failures++) {
    if (failures > 0) await pause(FIRST_PAUSE_MS * 2 ** (failures - 1), o.signal);
    for await (const event of oneStream(transport, { id, after, signal: o.signal })) {
      if (event.seq <= after) continue;
      after = event.seq;
      failures = 0;
      yield event;
      if (ENDS.has(event.type)) return;
    }
  }
  throw new GatewayError("upstream_interrupted", "The stream of events broke off before the run ended.", { details: { after } });
}

/** The events of one connection; ends where it breaks. Errors: those that the gateway answers with. */
async function* oneStream(
  transport: Transport,
  q: { readonly id: string; readonly after: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<RunEventView, void, undefined> {
  const path = `/api/v1/runs/${encodeURIComponent(q.id)}/events`;
  const headers = { accept: "text/event-stream" };
  yield* eventsIn(await transport.send({ method: "GET", path, query: { after: q.after }, headers, signal: q.signal }), q.signal);
}

/** The events of an answer; ends where it breaks. */
export async function* eventsIn(response: Response, signal: AbortSignal | undefined): AsyncGenerator<RunEventView, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const sse = new SseReader();
  try {
    for (;;) {
      const chunk = await read(reader, signal);
      if (chunk === null) return;
      for (const { event, data } of sse.push(chunk)) {
        if (event === "error") return;
        yield JSON.parse(data) as RunEventView;
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/** null: the connection is over, in whichever way. Errors: `cancelled` and its like when the reader's own signal fired. */
async function read(reader: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal | undefined): Promise<Uint8Array | null> {
  try {
    const { done, value } = await reader.read();
    return done ? null : value;
  } catch {
    if (signal?.aborted === true) throw GatewayError.from(signal.reason);
    return null;
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(GatewayError.from(signal?.reason));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
