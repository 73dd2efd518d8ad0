import type { Headers, HttpAnswer, Usage } from "../../../calls/index.js";
import { utf8 } from "../../../util/json.js";
import { sseHeaders } from "../sse.js";

const ignore = (): void => undefined;

/** Bytes of a type as a whole answer. What a model made is shown as what it is, never as a page of ours. */
export function bytesAnswer(bytes: Uint8Array, mediaType: string, headers: Headers): HttpAnswer {
  return {
    status: 200,
    headers: [["content-type", mediaType], ["cache-control", "no-store"], ["x-content-type-options", "nosniff"], ...headers],
    body: { kind: "bytes", bytes },
    done: ignore,
  };
}

/** A download as it comes. */
export function framesAnswer(frames: AsyncIterable<Uint8Array>, mediaType: string, headers: Headers): HttpAnswer {
  return {
    status: 200,
    headers: [["content-type", mediaType], ["cache-control", "no-store"], ["x-content-type-options", "nosniff"], ...headers],
    body: { kind: "frames", frames },
    done: ignore,
  };
}

/**
 * A whole answer to a caller who asked for it in pieces: as few as OpenAI's dialect allows. `type` is in the data too, as its SDK reads it.
 * Source: https://platform.openai.com/docs/api-reference/images-streaming and the neighbouring pages of audio
 */
export function piecesAnswer(
  events: readonly { readonly type: string; readonly [field: string]: unknown }[],
  headers: Headers,
): HttpAnswer {
  const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  return { status: 200, headers: [...sseHeaders, ...headers], body: { kind: "bytes", bytes: utf8(text) }, done: ignore };
}

/** Usage as OpenAI tells it of media; undefined when nothing is known. */
export function usageView(usage: Usage): object | undefined {
  const { inputTokens: text, imageInputTokens: image, audioInputTokens: audio } = usage;
  const input = sum(text, image, audio, usage.cacheReadTokens);
  const output = sum(usage.outputTokens, usage.imageOutputTokens, usage.audioOutputTokens, usage.reasoningTokens);
  if (input === undefined && output === undefined)
    return usage.seconds === undefined ? undefined : { type: "duration", seconds: usage.seconds };
  return {
    type: "tokens",
    input_tokens: input ?? 0,
    output_tokens: output ?? 0,
    total_tokens: (input ?? 0) + (output ?? 0),
    input_tokens_details: { text_tokens: text ?? 0, image_tokens: image ?? 0, ...(audio === undefined ? {} : { audio_tokens: audio }) },
  };
}

function sum(...counts: (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0);
}
