import type { Operations, TranscribeCall, VideoCall, VideoJob } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { unsupported } from "../../wire/shared/fields.js";
import type { ModelOptions } from "../model.js";
import type { OperationContext, ProviderOperations } from "../operations.js";
import { encodeBase64 } from "../../wire/shared/base64.js";
import { aviOf, hashOf, pngOf, toneOf, vectorOf } from "./demo-media.js";

const DIMENSIONS = 64;
const MAX_DIMENSIONS = 4_096;
const MAX_PICTURES = 10;
/** Nothing here is counted in tokens, and that is known. */
const none = { inputTokens: 0, outputTokens: 0 };
/** A refusable text for whoever tries a filter. */
const FLAGGED = /\bflag me\b/i;

/** The demo's models beside chat, one for each operation. */
export const demoModels: readonly Omit<ModelOptions, "provider">[] = [
  { code: "embed", title: "Demo: vectors from words (offline)", kind: "embedding", outputFormats: [] },
  { code: "image", title: "Demo: a coloured picture (offline)", kind: "image", outputFormats: ["image"] },
  { code: "speech", title: "Demo: a tone (offline)", kind: "speech", outputFormats: ["audio"] },
  { code: "transcribe", title: "Demo: says how long a recording is (offline)", kind: "transcription", outputFormats: ["text"] },
  { code: "video", title: "Demo: a film of a second (offline)", kind: "video", outputFormats: ["video"] },
  { code: "moderate", title: 'Demo: flags the words "flag me" (offline)', kind: "classifier", outputFormats: [] },
];

/**
 * What the demo does beside chat, each by the model of that name: always the same for the same input, free, and plainly no real model's work.
 * Errors: `unsupported_feature` for what it cannot make (any sound but wav and pcm, any picture but png), or for a model that is another operation's.
 */
export const demoOperations: ProviderOperations = {
  embed: named("embed", (call) => {
    const dimensions = call.dimensions ?? DIMENSIONS;
    if (dimensions > MAX_DIMENSIONS) throw unsupported("dimensions", `must be at most ${MAX_DIMENSIONS}`);
    const texts = call.inputs.map((input) => (typeof input === "string" ? input : input.join(" ")));
    const words = texts.reduce((sum, text) => sum + (text.match(/\S+/g)?.length ?? 0), 0);
    return { model: call.model, vectors: texts.map((text) => vectorOf(text, dimensions)), usage: { inputTokens: words, outputTokens: 0 } };
  }),
  image: named("image", (call) => {
    if (call.format !== undefined && call.format !== "png") throw unsupported("format", "must be png: the demo makes nothing else");
    const n = call.n ?? 1;
    if (n < 1 || n > MAX_PICTURES) throw unsupported("n", `must be 1 to ${MAX_PICTURES}`);
    const images = Array.from({ length: n }, (_each, number) => ({
      mediaType: "image/png",
      source: { kind: "base64" as const, data: pngOf(number === 0 ? call.prompt : `${call.prompt} ${number}`) },
    }));
    return { model: call.model, createdAtMs: Date.now(), images, usage: { ...none, images: n } };
  }),
  speech: named("speech", (call) => {
    const { format } = call;
    if (format !== undefined && format !== "wav" && format !== "pcm")
      throw unsupported("format", `cannot be "${format}": the demo makes wav and pcm`);
    const { samples, wav } = toneOf(call.input, call.speed ?? 1);
    const audio = format === "pcm" ? { mediaType: "audio/pcm", bytes: samples } : { mediaType: "audio/wav", bytes: wav };
    return { model: call.model, audio, usage: { ...none, characters: [...call.input].length } };
  }),
  transcribe: named("transcribe", transcript),
  moderate: named("moderate", (call) => ({
    model: call.model,
    results: call.inputs.map((input) => {
      const flagged = typeof input === "string" && FLAGGED.test(input);
      return { flagged, categories: { demo: flagged }, scores: { demo: flagged ? 1 : 0 } };
    }),
    usage: none,
  })),
  video: named("video", (call) => ({ ref: refOf(call), model: call.model, status: "queued" as const, usage: {} })),
  videos: {
    poll: (ref, { model }) => Promise.resolve(finished(ref, model)),
    cancel: () => Promise.resolve(),
  },
};

/** The demo keeps nothing: what it needs to make the film is in the job's name. */
function refOf(call: VideoCall): string {
  return `demo-${hashOf(call.prompt).toString(16)}`;
}

function finished(ref: string, model: string): VideoJob {
  const film = { mediaType: "video/x-msvideo", data: encodeBase64(aviOf(ref)) };
  return { ref, model, status: "succeeded", progress: 100, videos: [film], usage: { ...none, seconds: 1 } };
}

function transcript(call: TranscribeCall): Operations["transcribe"]["answer"] {
  const { bytes, mediaType } = call.audio;
  const seconds = secondsOf(bytes);
  const length = seconds === undefined ? "" : `, ${seconds.toFixed(1)} seconds`;
  const text = `A recording of ${bytes.length} bytes of ${mediaType}${length}.`;
  const wanted = call.timestamps ?? [];
  const end = seconds ?? 0;
  return {
    model: call.model,
    text,
    language: "english",
    ...(seconds === undefined ? {} : { seconds }),
    ...(wanted.includes("segment") ? { segments: [{ start: 0, end, text }] } : {}),
    ...(wanted.includes("word")
      ? { words: text.split(" ").map((word, at, all) => ({ word, start: (end * at) / all.length, end: (end * (at + 1)) / all.length })) }
      : {}),
    usage: seconds === undefined ? none : { ...none, seconds },
  };
}

/** Of a WAV file, by its own header; undefined for anything else. */
function secondsOf(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 44 || view.getUint32(0) !== 0x52494646) return undefined;
  const byteRate = view.getUint32(28, true);
  return byteRate === 0 ? undefined : (bytes.length - 44) / byteRate;
}

function named<C extends { readonly model: string }, A>(
  name: string,
  work: (call: C) => A,
): (call: C, context: OperationContext) => Promise<A> {
  return async (call, { model }) => {
    if (model === name) return work(call);
    throw new GatewayError("unsupported_feature", `The model "demo/${model.slice(0, 200)}" cannot be asked for "${name}".`, {
      hint: `demo/${name} can.`,
      details: { model: `demo/${model.slice(0, 200)}`, operation: name },
    });
  };
}
