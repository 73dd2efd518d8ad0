import type { Uploadable } from "openai";
import type { MediaBytes, SpeechAnswer, SpeechCall, TranscribeAnswer, TranscribeCall, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import type { OperationContext } from "../../operations.js";
import { withClient } from "./client.js";

const mediaTypes: Readonly<Record<string, string>> = {
  ...{ mp3: "audio/mpeg", wav: "audio/wav", opus: "audio/ogg", aac: "audio/aac", flac: "audio/flac", pcm: "audio/pcm" },
};

/** Speech. Source: https://platform.openai.com/docs/api-reference/audio/createSpeech */
export function speech(call: SpeechCall, context: OperationContext): Promise<SpeechAnswer> {
  return withClient(context, async (client) => {
    const response = await client.audio.speech.create({
      ...call.extras?.["openai-chat"],
      model: context.model,
      input: call.input,
      // The vendor asks for one.
      voice: call.voice ?? "alloy",
      ...(call.format === undefined ? {} : { response_format: call.format as "mp3" }),
      ...(call.speed === undefined ? {} : { speed: call.speed }),
      ...(call.instructions === undefined ? {} : { instructions: call.instructions }),
    });
    const said = response.headers.get("content-type");
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length === 0) throw new GatewayError("upstream_protocol", "The vendor sent no sound.");
    const known = mediaTypes[call.format ?? "mp3"];
    return {
      model: call.model,
      audio: { mediaType: said?.startsWith("audio/") === true ? said : (known ?? "application/octet-stream"), bytes },
      // Sold by the character, or by tokens that the vendor does not tell.
      usage: { characters: [...call.input].length },
    };
  });
}

/** A transcript, in the language spoken or in English. Source: https://platform.openai.com/docs/api-reference/audio */
export function transcribe(call: TranscribeCall, context: OperationContext): Promise<TranscribeAnswer> {
  return withClient(context, async (client, { toFile }) => {
    const body = {
      ...call.extras?.["openai-chat"],
      model: context.model,
      file: (await toFile(call.audio.bytes, nameOf(call.audio), { type: call.audio.mediaType })) as Uploadable,
      ...(call.prompt === undefined ? {} : { prompt: call.prompt }),
      ...(call.temperature === undefined ? {} : { temperature: call.temperature }),
    };
    const format = call.timestamps === undefined ? "json" : "verbose_json";
    if (call.translate === true)
      return decodeTranscript(await client.audio.translations.create({ ...body, response_format: format as "json" }), call);
    const answer = await client.audio.transcriptions.create({
      ...body,
      response_format: format as "json",
      ...(call.language === undefined ? {} : { language: call.language }),
      ...(call.timestamps === undefined ? {} : { timestamp_granularities: [...call.timestamps] }),
    });
    return decodeTranscript(answer, call);
  });
}

/** A transcript as OpenAI and those who imitate it send it; what is not there stays unknown. Errors: `upstream_protocol`. */
export function decodeTranscript(answer: unknown, call: Pick<TranscribeCall, "model">): TranscribeAnswer {
  if (!isObject(answer) || typeof answer["text"] !== "string")
    throw new GatewayError("upstream_protocol", "The vendor's transcript has no text.");
  const { language, duration } = answer;
  const usage = usageOf(answer["usage"]);
  const seconds = typeof duration === "number" ? duration : usage.seconds;
  const segments = listOf(answer["segments"], (each) => {
    const { start, end, text } = each;
    const speaker = each["speaker"] ?? each["speaker_id"];
    if (typeof start !== "number" || typeof end !== "number" || typeof text !== "string") return null;
    return { start, end, text, ...(typeof speaker === "string" ? { speaker } : {}) };
  });
  const words = listOf(answer["words"], ({ start, end, word }) =>
    typeof start === "number" && typeof end === "number" && typeof word === "string" ? { start, end, word } : null,
  );
  return {
    model: call.model,
    text: answer["text"],
    ...(typeof language === "string" ? { language } : {}),
    ...(seconds === undefined ? {} : { seconds }),
    ...(segments === undefined ? {} : { segments }),
    ...(words === undefined ? {} : { words }),
    usage: { ...usage, ...(seconds === undefined ? {} : { seconds }) },
  };
}

/** By the second, or by tokens with sound counted apart; Mistral says both, under its own names. */
function usageOf(usage: unknown): Usage {
  if (!isObject(usage)) return {};
  const number = (value: unknown): number | undefined => (typeof value === "number" && value >= 0 ? value : undefined);
  const details = isObject(usage["input_token_details"]) ? usage["input_token_details"] : {};
  const sound = number(details["audio_tokens"]);
  const all = number(usage["input_tokens"]) ?? number(usage["prompt_tokens"]);
  const counts = {
    inputTokens: number(details["text_tokens"]) ?? (all === undefined || sound === undefined ? all : Math.max(0, all - sound)),
    audioInputTokens: sound,
    outputTokens: number(usage["output_tokens"]) ?? number(usage["completion_tokens"]),
    seconds: number(usage["seconds"]) ?? number(usage["prompt_audio_seconds"]),
  };
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined));
}

function listOf<T>(value: unknown, read: (each: Record<string, unknown>) => T | null): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter(isObject).flatMap((each) => read(each) ?? []);
}

/** The vendor goes by the name's ending. */
function nameOf({ filename, mediaType }: MediaBytes): string {
  if (filename !== undefined && /\.\w+$/.test(filename)) return filename;
  const kind = /^audio\/(?:x-)?(\w+)/.exec(mediaType)?.[1] ?? "wav";
  return `audio.${kind === "mpeg" ? "mp3" : kind}`;
}
