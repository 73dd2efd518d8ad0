import type { HttpAnswer, ImageAnswer, ImageCall } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import { parseCallerJson } from "../../../wire/shared/caller-json.js";
import { Fields, invalid, unsupported } from "../../../wire/shared/fields.js";
import { jsonBytesAnswer } from "../../answers.js";
import { dialectOf } from "../../dialects.js";
import { callOptions, type Exchange } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";

/**
 * `:predict`: pictures for an instance with a `prompt`, vectors for instances with `content`.
 * Sources: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api and …/text-embeddings-api
 */
export async function predict(models: ModelCaller, x: Exchange, model: string): Promise<HttpAnswer> {
  const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
  const body = parseCallerJson(bytes);
  const first = isObject(body) && Array.isArray(body["instances"]) ? (body["instances"][0] as unknown) : undefined;
  if (isObject(first) && first["prompt"] !== undefined) {
    const { answer, headers } = await models.operate("image", imageCall(new Fields(body), model), callOptions(x));
    return jsonBytesAnswer(predictions(answer), headers);
  }
  return embedAnswer(models, x, { bytes, model });
}

/** Vectors in Google's dialect, in the form that the body was in. */
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

function imageCall(body: Fields, model: string): ImageCall {
  const instances = body.list("instances");
  if (instances.length > 1) throw unsupported("instances[1]", "is a second prompt, and pictures are made of one at a time");
  const instance = new Fields(instances[0], "instances[0]");
  const parameters = body.optionalFields("parameters");
  const output = parameters?.optionalFields("outputOptions");
  const call: ImageCall = {
    model,
    prompt: instance.string("prompt"),
    n: parameters?.optionalInteger("sampleCount"),
    aspectRatio: parameters?.optionalString("aspectRatio"),
    format: formatOf(output),
  };
  for (const fields of [body, instance, parameters, output]) {
    const [unknown] = Object.keys(fields?.rest() ?? {});
    if (fields !== undefined && unknown !== undefined)
      throw unsupported(fields.path(unknown), "has no counterpart in the making of pictures");
  }
  return call;
}

function formatOf(output: Fields | undefined): string | undefined {
  const type = output?.optionalString("mimeType");
  if (type === undefined) return undefined;
  if (!/^image\/[a-z]+$/.test(type)) throw invalid("parameters.outputOptions.mimeType", "must be the type of a picture, such as image/png");
  return type.slice("image/".length);
}

function predictions({ images }: ImageAnswer): Uint8Array {
  const made = images.map(({ mediaType, source, revisedPrompt }) => {
    if (source.kind === "url")
      throw new GatewayError("unsupported_feature", "The model gives its pictures by address, which this dialect has no field for.", {
        hint: "Ask by POST /v1/images/generations.",
      });
    return { mimeType: mediaType, bytesBase64Encoded: source.data, ...(revisedPrompt === undefined ? {} : { prompt: revisedPrompt }) };
  });
  return utf8(JSON.stringify({ predictions: made }));
}
