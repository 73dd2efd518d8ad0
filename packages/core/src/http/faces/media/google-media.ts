import type { HttpAnswer, ImageCall, MediaBytes, VideoCall } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { googleOperationRoutes } from "../../../routes/index.js";
import type { ModelCaller, StoredVideo, Videos } from "../../../seams/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import { decodeBase64 } from "../../../wire/shared/base64.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { Fields, invalid, unsupported } from "../../../wire/shared/fields.js";
import { jsonAnswer, jsonBytesAnswer } from "../../answers.js";
import { callOptions, type Exchange, type Handler } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";
import { decodeParam } from "../params.js";
import { embedAnswer } from "../google/embed-answer.js";
import type { GoogleVerb } from "../google/google-face.js";
import { framesAnswer } from "./media-answer.js";
import { keyOf } from "./videos.js";

/** Google's verbs for pictures and films: `predict` (of vectors too, when its instances have `content`) and `predictLongRunning`. Sources: https://ai.google.dev/gemini-api/docs/imagen, https://ai.google.dev/gemini-api/docs/video */
export function googleMediaVerbs(models: () => ModelCaller, videos: () => Videos): Readonly<Record<string, GoogleVerb>> {
  return {
    predict: async (x, model) => {
      const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
      const body = new Fields(parseCallerJson(bytes));
      const [first] = body.optionalList("instances") ?? [];
      if (isObject(first) && first["content"] !== undefined) return embedAnswer(models(), x, { bytes, model });
      const { instance, parameters } = predictionOf(body);
      const { answer, headers } = await models().operate("image", imageCall(model, instance, parameters), callOptions(x));
      const predictions = answer.images.map(({ mediaType, source, revisedPrompt }) => ({
        mimeType: mediaType,
        ...(source.kind === "base64" ? { bytesBase64Encoded: source.data } : { uri: source.url }),
        ...(revisedPrompt === undefined ? {} : { prompt: revisedPrompt }),
      }));
      return jsonBytesAnswer(utf8(JSON.stringify({ predictions })), headers);
    },
    predictLongRunning: async (x, model) => {
      const { instance, parameters } = await readPrediction(x);
      const call = videoCall(model, instance, parameters);
      const { video, headers } = await videos().begin(call, { ...callOptions(x), idempotencyKey: keyOf(x) });
      return jsonBytesAnswer(utf8(JSON.stringify({ name: `operations/${video.id}` })), headers);
    },
  };
}

/** The operations that films are, and the files that they become. */
export function googleOperationsFace(videos: () => Videos): Readonly<Record<keyof typeof googleOperationRoutes, Handler>> {
  const operation: Handler = async (x) => {
    const video = await videos().get(decodeParam(x.params, "id"), callOptions(x));
    return jsonAnswer(200, operationView(video, x));
  };
  const betaFile: Handler = async (x): Promise<HttpAnswer> => {
    const [, tail, verb] = /^([a-z0-9]+)(:download)?$/.exec(decodeParam(x.params, "file")) ?? [];
    if (tail === undefined || verb === undefined || !tail.startsWith(FILE))
      throw new GatewayError("not_found", "There is no file of this name.", { hint: "Films are at {name}:download?alt=media." });
    const { mediaType, chunks } = await videos().content(`video_${tail.slice(FILE.length)}`, callOptions(x));
    return framesAnswer(chunks, mediaType, []);
  };
  return { betaOperation: operation, operation, betaFile };
}

/** Google's SDK takes only letters and digits for a file's name. */
const FILE = "video";

function operationView(video: StoredVideo, x: Exchange) {
  const name = `operations/${video.id}`;
  if (video.status === "queued" || video.status === "running") return { name, done: false, metadata: { progressPercent: video.progress } };
  if (video.status !== "succeeded")
    return { name, done: true, error: { code: 13, message: video.error?.message ?? "The film was not made.", status: "INTERNAL" } };
  const { inbound } = x;
  const scheme = inbound.header("x-forwarded-proto")?.split(",")[0]?.trim() === "https" ? "https" : "http";
  const file = `${FILE}${video.id.slice(video.id.indexOf("_") + 1)}`;
  const uri = `${scheme}://${inbound.header("host") ?? "localhost"}${inbound.basePath}/v1beta/files/${file}:download?alt=media`;
  return { name, done: true, response: { generateVideoResponse: { generatedSamples: [{ video: { uri } }] } } };
}

interface Prediction {
  readonly instance: Fields;
  readonly parameters: Fields;
}

async function readPrediction(x: Exchange): Promise<Prediction> {
  return predictionOf(new Fields(parseCallerJson(await readJsonBytes(x.inbound, x.maxBodyBytes))));
}

function predictionOf(body: Fields): Prediction {
  const instances = body.list("instances");
  if (instances.length !== 1) throw invalid("instances", "must be one");
  return {
    instance: new Fields(instances[0], "instances[0]"),
    parameters: body.optionalFields("parameters") ?? new Fields({}, "parameters"),
  };
}

function imageCall(model: string, instance: Fields, parameters: Fields): ImageCall {
  const output = parameters.optionalFields("outputOptions");
  const call: ImageCall = {
    model,
    prompt: instance.string("prompt"),
    n: parameters.optionalInteger("sampleCount"),
    aspectRatio: parameters.optionalString("aspectRatio"),
    format: (output?.optionalString("mimeType") ?? parameters.optionalString("outputMimeType"))?.replace(/^image\//, ""),
  };
  return withExtras(call, instance, parameters);
}

function videoCall(model: string, instance: Fields, parameters: Fields): VideoCall {
  const image = instance.optionalFields("image");
  const samples = parameters.optionalInteger("sampleCount") ?? parameters.optionalInteger("numberOfVideos");
  if (samples !== undefined && samples !== 1) throw unsupported("parameters.sampleCount", "must be 1: a call makes one film");
  const call: VideoCall = {
    model,
    prompt: instance.string("prompt"),
    seconds: parameters.optionalNumber("durationSeconds"),
    aspectRatio: parameters.optionalString("aspectRatio"),
    resolution: parameters.optionalString("resolution"),
    image: image === undefined ? undefined : pictureOf(image),
  };
  return withExtras(call, instance, parameters);
}

function pictureOf(image: Fields): MediaBytes {
  const data = image.optionalString("bytesBase64Encoded") ?? image.string("imageBytes");
  return { mediaType: image.optionalString("mimeType") ?? "image/png", bytes: decodeBase64(data) };
}

/** Parameters that have no neutral meaning go back to Google alone; of an instance everything has to be understood. */
function withExtras<C extends ImageCall | VideoCall>(call: C, instance: Fields, parameters: Fields): C {
  const unknown = Object.keys(instance.rest() ?? {})[0];
  if (unknown !== undefined) throw unsupported(`instances[0].${unknown}`, "is not known here");
  const rest = parameters.rest();
  return rest === undefined ? call : { ...call, extras: { "google-genai": rest } };
}
