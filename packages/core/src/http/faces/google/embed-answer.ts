import type { HttpAnswer } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import { jsonBytesAnswer } from "../../answers.js";
import { dialectOf } from "../../dialects.js";
import { callOptions, type Exchange } from "../../exchange.js";

/** Vectors in Google's dialect, in the form that the body was in: of `:embedContent`, `:batchEmbedContents`, or `:predict`. */
export async function embedAnswer(
  models: ModelCaller,
  x: Exchange,
  { bytes, model }: { readonly bytes: Uint8Array; readonly model: string },
): Promise<HttpAnswer> {
  const codec = dialectOf("google-genai").embed;
  if (codec === undefined) throw new GatewayError("unsupported_feature", "This version makes no embeddings in Google's dialect.");
  const call = codec.decodeRequest(bytes, { model, stream: false });
  const { answer, headers } = await models.operate("embed", call, callOptions(x));
  return jsonBytesAnswer(codec.encodeAnswer(answer, call), headers);
}
