import { Fold, type ModelAnswer } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { partTexts } from "../request/part-texts.js";
import { BodyDecoder } from "../stream/body-decoder.js";

/**
 * `Codec.decodeAnswer` of Google's protocol: read by the same reader as a stream, so that both forms of an answer are the same one.
 * Errors: `upstream_protocol`, also when there is neither a candidate nor a reason for there being none; the vendor's own error when one came in a 200.
 */
export function decodeAnswer(bytes: Uint8Array): ModelAnswer {
  const decoder = new BodyDecoder(true);
  decoder.push(parseUpstreamJson(bytes), partTexts(bytes, "candidates"));
  if (decoder.end() !== null) throw new GatewayError("upstream_protocol", "The vendor's answer has no candidates.");
  const fold = new Fold();
  for (const event of decoder.take()) fold.push(event);
  return fold.answer();
}
