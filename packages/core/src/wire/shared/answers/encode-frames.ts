import type { ModelEvent } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { utf8 } from "../../../util/json.js";

/** Writes the events of one stream down in a dialect. */
export interface FrameEncoder {
  /** Whole frames, or nothing. */
  encode(event: ModelEvent): string;
  /** What ends a stream that came to its end. Errors: `upstream_interrupted` when it did not. */
  end(): string;
}

/** The frames of a stream; one that fails ends with the dialect's error frame, and then normally. */
export async function* encodeFrames(
  events: AsyncIterable<ModelEvent>,
  encoder: FrameEncoder,
  o: { readonly onError: (error: GatewayError) => void; readonly errorFrame: (error: GatewayError) => Uint8Array },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const event of events) {
      const frames = encoder.encode(event);
      if (frames !== "") yield utf8(frames);
    }
    yield utf8(encoder.end());
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    o.onError(error);
    yield o.errorFrame(error);
  }
}
