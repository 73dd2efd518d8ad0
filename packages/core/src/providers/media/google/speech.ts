import type { SpeechAnswer, SpeechCall } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { decodeBase64 } from "../../../wire/shared/base64.js";
import { unsupported } from "../../../wire/shared/fields.js";
import { asUpstream } from "../../../wire/shared/upstream-json.js";
import type { OperationContext } from "../../operations.js";
import { joinBytes } from "../../../util/encoding/join-bytes.js";
import { wavOf } from "../wav.js";
import { generate } from "./google-exchange.js";

const BITS = 16;
const DEFAULT_RATE = 24_000;

/**
 * Speech and music. Voices come as bare samples (16 bits, 24 kHz, mono), which get a WAV header, or stay bare when `pcm` is asked for; music comes as its model makes it.
 * Sources: https://ai.google.dev/gemini-api/docs/speech-generation, https://ai.google.dev/gemini-api/docs/music-generation
 */
export async function speech(call: SpeechCall, context: OperationContext): Promise<SpeechAnswer> {
  if (call.speed !== undefined && call.speed !== 1) throw unsupported("speed", "is not known to Google's voices: say it in the text");
  const isMusic = context.kind === "music";
  const { format } = call;
  // Said before anything is paid for.
  if (!isMusic && format !== undefined && format !== "wav" && format !== "pcm")
    throw unsupported("format", `cannot be "${format}": Google's voices come as samples; ask for wav or pcm`);
  const text = call.instructions === undefined ? call.input : `${call.instructions}: ${call.input}`;
  const voice = call.voice === undefined ? {} : { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: call.voice } } } };
  const { blobs, usage } = await generate(
    {
      ...call.extras?.["google-genai"],
      contents: [{ role: "user", parts: [{ text }] }],
      generationConfig: { responseModalities: isMusic ? ["AUDIO", "TEXT"] : ["AUDIO"], ...voice },
    },
    context,
  );
  const sound = blobs.filter(({ mimeType }) => mimeType.toLowerCase().startsWith("audio/"));
  if (sound.length === 0) throw new GatewayError("upstream_protocol", "The vendor sent no sound.");
  const bytes = joinBytes(sound.map(({ data }) => asUpstream(() => decodeBase64(data))));
  return { model: call.model, audio: audioOf(bytes, sound[0]!.mimeType, format), usage };
}

function audioOf(bytes: Uint8Array, mimeType: string, format: string | undefined): SpeechAnswer["audio"] {
  if (isSamples(mimeType)) {
    if (format === "pcm") return { mediaType: mimeType, bytes };
    const sampleRate = Number(/rate=(\d+)/.exec(mimeType)?.[1] ?? DEFAULT_RATE);
    const channels = Number(/channels=(\d+)/.exec(mimeType)?.[1] ?? 1);
    return { mediaType: "audio/wav", bytes: wavOf(bytes, { sampleRate, channels, bits: BITS }) };
  }
  const made = mimeType.replace(/^audio\/(?:x-)?/i, "").replace("mpeg", "mp3");
  if (format === undefined || made.startsWith(format)) return { mediaType: mimeType, bytes };
  throw unsupported("format", `cannot be "${format}": this model answers with ${mimeType}`);
}

/** RFC 2586 calls 16-bit samples L16; Google sends them little-endian all the same. */
function isSamples(mimeType: string): boolean {
  return /^audio\/(?:l16|pcm)\b/i.test(mimeType);
}
