import type { HttpAnswer, TranscribeAnswer, TranscribeCall } from "../../../calls/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import { utf8 } from "../../../util/json.js";
import { invalid, unsupported } from "../../../wire/shared/fields.js";
import { jsonBytesAnswer } from "../../answers.js";
import { callOptions, type Handler } from "../../exchange.js";
import { readForm, type Form } from "./form.js";
import { bytesAnswer, piecesAnswer, usageView } from "./media-answer.js";
import { subtitles } from "./subtitles.js";

const formats = ["json", "text", "srt", "vtt", "verbose_json", "diarized_json"] as const;
type Format = (typeof formats)[number];

/** What was said, in its language or (`translate`) in English. Source: https://platform.openai.com/docs/api-reference/audio/createTranscription */
export function transcriptions(models: () => ModelCaller, translate: boolean): Handler {
  return async (x) => {
    const form = await readForm(x);
    const format = formatOf(form.optionalText("response_format"));
    const stream = form.optionalFlag("stream") === true;
    if (stream && format !== "json" && format !== "text") throw unsupported("stream", `does not go with response_format "${format}"`);
    const call = await decode(form, { format, translate });
    const { answer, headers } = await models().operate("transcribe", call, callOptions(x));
    if (!stream) return render(answer, { format, translate, headers });
    const { text } = answer;
    return piecesAnswer(
      [
        { type: "transcript.text.delta", delta: text },
        { type: "transcript.text.done", text, usage: usageView(answer.usage) },
      ],
      headers,
    );
  };
}

function formatOf(given: string | undefined): Format {
  const format = formats.find((known) => known === (given ?? "json"));
  if (format === undefined) throw invalid("response_format", `must be one of ${formats.join(", ")}`);
  return format;
}

async function decode(form: Form, o: { readonly format: Format; readonly translate: boolean }): Promise<TranscribeCall> {
  const asked = form.texts("timestamp_granularities").map((granularity) => {
    if (granularity === "word" || granularity === "segment") return granularity;
    throw invalid("timestamp_granularities", 'must be "word" or "segment"');
  });
  if (asked.length > 0 && o.format !== "verbose_json") throw invalid("timestamp_granularities", 'needs response_format "verbose_json"');
  const timed = o.format === "srt" || o.format === "vtt" || o.format === "verbose_json";
  const timestamps = asked.length > 0 ? asked : timed ? (["segment"] as const) : undefined;
  const call: TranscribeCall = {
    model: form.text("model"),
    audio: await form.file("file"),
    language: form.optionalText("language"),
    prompt: form.optionalText("prompt"),
    temperature: form.optionalNumber("temperature"),
    ...(timestamps === undefined ? {} : { timestamps }),
    ...(o.translate ? { translate: true } : {}),
  };
  const extras = { ...form.rest(), ...(o.format === "diarized_json" ? { response_format: o.format } : {}) };
  return Object.keys(extras).length === 0 ? call : { ...call, extras: { "openai-chat": extras } };
}

function render(
  answer: TranscribeAnswer,
  o: { readonly format: Format; readonly translate: boolean; readonly headers: HttpAnswer["headers"] },
): HttpAnswer {
  const { text, segments, words, language, seconds } = answer;
  const json = (body: object): HttpAnswer => jsonBytesAnswer(utf8(JSON.stringify(body)), o.headers);
  switch (o.format) {
    case "text":
      return bytesAnswer(utf8(`${text}\n`), "text/plain; charset=utf-8", o.headers);
    case "srt":
    case "vtt":
      return bytesAnswer(
        utf8(subtitles(answer, o.format)),
        o.format === "srt" ? "application/x-subrip; charset=utf-8" : "text/vtt; charset=utf-8",
        o.headers,
      );
    case "json":
      return json({ text, usage: usageView(answer.usage) });
    case "diarized_json":
      return json({
        ...{ task: "transcribe", duration: seconds, text },
        segments: (segments ?? []).map((segment, at) => ({ type: "transcript.text.segment", id: `seg_${at}`, ...segment })),
        usage: usageView(answer.usage),
      });
    case "verbose_json":
      return json({
        task: o.translate ? "translate" : "transcribe",
        ...{ language: language ?? "unknown", duration: seconds ?? segments?.at(-1)?.end ?? 0, text },
        ...(segments === undefined ? {} : { segments: segments.map((segment, id) => ({ id, ...segment })) }),
        ...(words === undefined ? {} : { words }),
        usage: usageView(answer.usage),
      });
  }
}
