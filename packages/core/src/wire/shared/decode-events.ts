import type { ModelEvent } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { SseReader, type SseEvent } from "../../util/sse.js";
import { asUpstream } from "./upstream-json.js";

/** What turns the SSE events of one stream into neutral ones. */
export interface EventDecoder {
  /** The protocol's own end was seen: nothing that follows is read. */
  readonly done: boolean;
  /** The answer is whole, whatever the connection does afterwards. */
  readonly complete: boolean;
  /** Errors: what the event says; what came before it is handed on first. */
  push(event: SseEvent): void;
  /** The end of the stream: null when it was whole. */
  end(): GatewayError | null;
  /** The events made since the last call. */
  take(): ModelEvent[];
}

/** What is read behind the end of an answer for the end of the connection, so that it can be used again, before the vendor is hung up on. */
const maxTrailingBytes = 64 * 1024;

/**
 * `Codec.decodeStream` of the protocols that stream by SSE. Errors: `upstream_protocol`, what the decoder throws or ends with, and what `chunks` throws unless the
 * answer was whole.
 */
export async function* decodeEvents(chunks: AsyncIterable<Uint8Array>, decoder: EventDecoder): AsyncGenerator<ModelEvent> {
  const reader = new SseReader();
  let failure: GatewayError | null = null;
  let trailing = 0;
  try {
    for await (const chunk of chunks) {
      if (decoder.done) {
        trailing += chunk.length;
        if (trailing > maxTrailingBytes) break;
        continue;
      }
      failure = read(() => reader.push(chunk), decoder);
      for (const event of decoder.take()) yield event;
      if (failure !== null) break;
    }
  } catch (error) {
    if (!decoder.complete) throw error;
  }
  if (failure !== null) throw failure;
  // What the end cut off is no protocol error: that the stream is not whole says it all.
  read(() => reader.end(), decoder);
  failure = decoder.end();
  for (const event of decoder.take()) yield event;
  if (failure !== null) throw failure;
}

/** Feeds what was read; an error is returned, because what came before it is handed on first. */
function read(events: () => SseEvent[], decoder: EventDecoder): GatewayError | null {
  try {
    for (const event of asUpstream(events)) decoder.push(event);
    return null;
  } catch (error) {
    return GatewayError.from(error);
  }
}
