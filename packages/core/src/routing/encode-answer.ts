import { fold, type HttpAnswer, type LiveAnswer, type ModelEvent, type ModelHead } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { LiveCall } from "../policy/live-call.js";
import { withTold } from "../policy/run-steps.js";
import type { Codec } from "../wire/shared/codec.js";

export interface Encoding {
  readonly codec: Codec;
  readonly live: LiveCall<ModelHead>;
}

/** Events as the frames of a dialect. */
export function framed(
  answer: LiveAnswer<ModelEvent>,
  events: AsyncIterable<ModelEvent>,
  o: Encoding & { readonly includeUsage: boolean },
): HttpAnswer {
  const frames = o.codec.encodeStream(events, { includeUsage: o.includeUsage, onError: (error) => o.live.failed(error.code) });
  return { ...answer, body: { kind: "frames", frames } };
}

/** Events as one whole answer of a dialect. */
export async function folded(answer: LiveAnswer<ModelEvent>, events: AsyncIterable<ModelEvent>, o: Encoding): Promise<HttpAnswer> {
  try {
    const bytes = o.codec.encodeAnswer(await fold(events));
    // What a step told while it read the answer is told before it.
    return { ...answer, headers: withTold(answer.headers, o.live.told), body: { kind: "bytes", bytes } };
  } catch (error) {
    const known = GatewayError.from(error);
    answer.done("failed", known.code);
    throw known;
  }
}

/** Reads an answer to its end for nobody. */
export async function drain({ body, done }: LiveAnswer<ModelEvent>): Promise<void> {
  try {
    if (body.kind === "events") for await (const _event of body.events);
    done("sent");
  } catch (error) {
    done("failed", GatewayError.from(error).code);
  }
}
