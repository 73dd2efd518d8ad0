import type {
  EmbedAnswer,
  EmbedCall,
  ImageAnswer,
  ImageCall,
  SpeechAnswer,
  SpeechCall,
  TranscribeAnswer,
  TranscribeCall,
} from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { pathSafe } from "../../../util/encoding/path-safe.js";
import { isObject, parseJson } from "../../../util/json.js";
import { encodeBase64 } from "../../../wire/shared/base64.js";
import { unsupported } from "../../../wire/shared/fields.js";
import { asUpstream } from "../../../wire/shared/upstream-json.js";
import type { OperationContext, ProviderOperations } from "../../operations.js";
import { exchange, header, MAX_ANSWER_BYTES } from "../exchange.js";
import { followVideo, video } from "./huggingface-video.js";

/** Hugging Face's raw inference: a model's own task, in its task's shape. Source: https://huggingface.co/docs/inference-providers/tasks */
export const huggingfaceMedia: ProviderOperations = { embed, image, speech, transcribe, video, videos: followVideo };

/** Raw inference is beside the router's OpenAI face, which is what the base URL means. */
function taskUrl(context: OperationContext, pipeline = ""): string {
  const root = context.baseUrl.replace(/\/v1$/, "");
  const model = pathSafe(context.model);
  return `${root}/hf-inference/models/${model}${pipeline}`;
}

async function embed(call: EmbedCall, context: OperationContext): Promise<EmbedAnswer> {
  if (call.dimensions !== undefined) throw unsupported("dimensions", "is not known to Hugging Face's feature extraction");
  const inputs = call.inputs.map((input, at) => {
    if (typeof input === "string") return input;
    throw unsupported(`inputs[${at}]`, "must be a text: Hugging Face takes no token numbers");
  });
  const response = await exchange(
    { method: "POST", url: taskUrl(context, "/pipeline/feature-extraction"), body: { ...extrasOf(call), inputs } },
    context,
  );
  const bytes = await response.bytes(MAX_ANSWER_BYTES);
  const vectors = asUpstream(() => parseJson(bytes));
  if (!Array.isArray(vectors) || vectors.length !== inputs.length || !vectors.every(isVector))
    throw new GatewayError("upstream_protocol", "The vendor did not answer with one vector for each text.", {
      hint: "Choose a model of sentence embeddings: one that gives a vector for each token has no vector for a text.",
    });
  return { model: call.model, vectors, usage: {} };
}

async function image(call: ImageCall, context: OperationContext): Promise<ImageAnswer> {
  if (call.images !== undefined && call.images.length > 0) throw unsupported("images", "is not known to Hugging Face's text-to-image");
  if (call.n !== undefined && call.n !== 1) throw unsupported("n", "must be 1: Hugging Face makes one picture a call");
  for (const field of ["mask", "quality", "background", "aspectRatio", "format"] as const)
    if (call[field] !== undefined) throw unsupported(field, "is not known to Hugging Face's text-to-image");
  const size = sizeOf(call.size);
  const response = await exchange(
    { method: "POST", url: taskUrl(context), body: { inputs: call.prompt, parameters: { ...extrasOf(call), ...size } } },
    context,
  );
  const mediaType = mediaOf(header(response, "content-type"), "image/");
  const bytes = await response.bytes(MAX_ANSWER_BYTES);
  return {
    model: call.model,
    createdAtMs: Date.now(),
    images: [{ mediaType, source: { kind: "base64", data: encodeBase64(bytes) } }],
    usage: { images: 1 },
  };
}

async function speech(call: SpeechCall, context: OperationContext): Promise<SpeechAnswer> {
  for (const field of ["voice", "speed", "instructions"] as const)
    if (call[field] !== undefined) throw unsupported(field, "is not known to Hugging Face's text-to-speech");
  const response = await exchange({ method: "POST", url: taskUrl(context), body: { ...extrasOf(call), inputs: call.input } }, context);
  const mediaType = mediaOf(header(response, "content-type"), "audio/");
  const bytes = await response.bytes(MAX_ANSWER_BYTES);
  if (call.format !== undefined && !mediaType.includes(call.format) && !(call.format === "mp3" && mediaType.includes("mpeg")))
    throw unsupported("format", `cannot be had: this model answers with ${mediaType}`);
  return { model: call.model, audio: { mediaType, bytes }, usage: { characters: [...call.input].length } };
}

async function transcribe(call: TranscribeCall, context: OperationContext): Promise<TranscribeAnswer> {
  for (const field of ["translate", "language", "prompt", "temperature"] as const)
    if (call[field] !== undefined) throw unsupported(field, "is not known to Hugging Face's speech recognition");
  const { bytes, mediaType } = call.audio;
  const wantsTimes = call.timestamps !== undefined;
  const byWord = call.timestamps?.includes("word") === true;
  const response = await exchange(
    wantsTimes
      ? {
          ...{ method: "POST", url: taskUrl(context) },
          body: { inputs: encodeBase64(bytes), parameters: { return_timestamps: byWord ? "word" : true } },
        }
      : { method: "POST", url: taskUrl(context), body: bytes, contentType: mediaType },
    context,
  );
  const body = await response.bytes(MAX_ANSWER_BYTES);
  const answer = asUpstream(() => parseJson(body));
  if (!isObject(answer) || typeof answer["text"] !== "string")
    throw new GatewayError("upstream_protocol", "The vendor's transcript has no text.");
  const chunks = Array.isArray(answer["chunks"]) ? answer["chunks"].flatMap(chunkOf) : undefined;
  const timed =
    chunks === undefined
      ? {}
      : byWord
        ? { words: chunks.map(({ text, ...times }) => ({ ...times, word: text.trim() })) }
        : { segments: chunks };
  return { model: call.model, text: answer["text"], ...timed, usage: {} };
}

function chunkOf(chunk: unknown): { start: number; end: number; text: string }[] {
  const { text, timestamp } = isObject(chunk) ? chunk : {};
  const [start, end] = Array.isArray(timestamp) ? (timestamp as unknown[]) : [];
  if (typeof text !== "string" || typeof start !== "number") return [];
  // The last one is often open.
  return [{ start, end: typeof end === "number" ? end : start, text }];
}

function extrasOf(call: { readonly extras?: EmbedCall["extras"] }): Readonly<Record<string, unknown>> {
  const { encoding_format: _ours, response_format: _format, ...rest } = call.extras?.["openai-chat"] ?? {};
  return rest;
}

function sizeOf(size: string | undefined): { readonly width?: number; readonly height?: number } {
  if (size === undefined || size === "auto") return {};
  const [width, height] = size.split("x").map(Number);
  if (!(width! > 0) || !(height! > 0)) throw unsupported("size", "must be WIDTHxHEIGHT");
  return { width: width!, height: height! };
}

function mediaOf(type: string | undefined, kind: string): string {
  if (type?.startsWith(kind) === true) return type;
  throw new GatewayError("upstream_protocol", `The vendor answered with ${type ?? "no type"} where ${kind}* was due.`);
}

function isVector(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "number");
}
