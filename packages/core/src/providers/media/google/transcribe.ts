import type { TranscribeAnswer, TranscribeCall } from "../../../calls/index.js";
import { unsupported } from "../../../wire/shared/fields.js";
import type { OperationContext } from "../../operations.js";
import { generate } from "./google-exchange.js";
import { inline } from "./images.js";

/** A transcript: the sound goes in as a part, with the order to write it down. Source: https://ai.google.dev/gemini-api/docs/audio */
export async function transcribe(call: TranscribeCall, context: OperationContext): Promise<TranscribeAnswer> {
  if (call.timestamps !== undefined) throw unsupported("timestamps", "cannot be had of Google's models, which hear no times to rely on");
  const { text, usage } = await generate(
    {
      ...call.extras?.["google-genai"],
      contents: [{ role: "user", parts: [inline(call.audio), { text: orderOf(call) }] }],
      ...(call.temperature === undefined ? {} : { generationConfig: { temperature: call.temperature } }),
    },
    context,
  );
  return { model: call.model, text: text.trim(), ...(call.language === undefined ? {} : { language: call.language }), usage };
}

function orderOf(call: TranscribeCall): string {
  const order = call.translate === true ? "Translate what is spoken into English" : "Transcribe what is spoken word for word";
  const language = call.language === undefined ? "" : ` The language spoken is "${call.language}" (ISO 639-1).`;
  const context = call.prompt === undefined ? "" : ` Of use for names and spelling: ${call.prompt}`;
  return `${order}. Answer with that text alone.${language}${context}`;
}
