import type { AnswerPart, Candidate, MediaPart, ModelAnswer } from "../../../calls/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import { joinBase64 } from "../../shared/base64.js";
import { chatExtras } from "../extras.js";
import { isLegacyCall } from "../legacy-call.js";
import { encodeImage } from "../request/content-parts.js";
import { encodeCalls, encodeReasoning } from "../request/encode-messages.js";
import { encodeCitation } from "./citations.js";
import { encodeFinish, type Holds } from "./finish-reason.js";
import { encodeLogprobs } from "./logprobs.js";
import { encodeUsage, tierWord } from "./usage.js";

type Json = Record<string, unknown>;

/** `Codec.encodeAnswer` of Chat Completions. Usage that is not known is left out. */
export function encodeAnswer(answer: ModelAnswer): Uint8Array {
  const own = chatExtras(answer);
  const usage = encodeUsage(answer.usage, own["usage"]);
  const tier = tierWord(answer.usage.serviceTier);
  const head = {
    id: answer.id,
    object: "chat.completion",
    created: Math.floor(answer.createdAtMs / 1000),
    model: answer.model,
    choices: answer.candidates.map(encodeChoice),
  };
  if (isNothing(own)) {
    const body: Json = head;
    if (usage !== null) body["usage"] = usage;
    if (tier !== undefined) body["service_tier"] = tier;
    return utf8(JSON.stringify(body));
  }
  const { usage: _usage, ...extras } = own;
  // The head twice: first for the order that people expect, last because nothing that rides along may stand in its place.
  return utf8(
    JSON.stringify({
      ...head,
      ...(usage === null ? {} : { usage }),
      ...(tier === undefined ? {} : { service_tier: tier }),
      ...extras,
      ...head,
    }),
  );
}

function encodeChoice(candidate: Candidate): Json {
  const all = chatExtras(candidate);
  const { message: own, logprobs } = all;
  const head = {
    index: candidate.index,
    message: encodeMessage(candidate.content, isObject(own) ? own : {}),
    logprobs: joinLogprobs(candidate.content, logprobs),
    finish_reason: encodeFinish(candidate.finishReason, holdsOf(candidate.content)),
  };
  if (isNothing(all) && candidate.stopSequence === undefined) return head;
  const { message: _message, logprobs: _logprobs, ...extras } = all;
  const stop = candidate.stopSequence === undefined ? {} : { stop_reason: candidate.stopSequence };
  return { ...head, ...stop, ...extras, ...head };
}

/** A spread of nothing costs as much as one of something, and most answers across protocols bring nothing along. */
function isNothing(fields: Json): boolean {
  for (const _name in fields) return false;
  return true;
}

function joinLogprobs(parts: readonly AnswerPart[], own: unknown): unknown {
  const tokens = parts.flatMap((part) => (part.type === "text" ? (part.logprobs ?? []) : []));
  if (tokens.length === 0) return own ?? null;
  return { content: encodeLogprobs(tokens), refusal: isObject(own) ? (own["refusal"] ?? null) : null };
}

/** What the finish reason depends on. */
function holdsOf(parts: readonly AnswerPart[]): Holds {
  return {
    calls: parts.some((part) => part.type === "tool-call"),
    legacyCall: parts.some(isLegacyCall),
    refusal: parts.some((part) => part.type === "refusal"),
  };
}

function encodeMessage(parts: readonly AnswerPart[], own: Json): Json {
  const text = join(parts, "text");
  const refusal = join(parts, "refusal");
  const media = parts.filter((part) => part.type === "media");
  const audio = encodeAudio(media);
  const calls = parts.filter((part) => part.type === "tool-call");
  const besideText = calls.length > 0 || refusal !== null || audio !== undefined;
  const head = { role: "assistant", content: text ?? (besideText ? null : ""), refusal };
  if (isNothing(own) && parts.every(isPlainText)) return head;
  const reasoning = encodeReasoning(
    parts.filter((part) => part.type === "reasoning"),
    "reasoning_content",
  );
  return {
    ...head,
    ...own,
    ...head,
    ...encodeAnnotations(parts, own["annotations"]),
    ...reasoning,
    ...(audio === undefined ? {} : { audio }),
    ...encodeImages(media),
    ...encodeCalls(calls),
  };
}

function isPlainText(part: AnswerPart): boolean {
  return (part.type === "text" && (part.citations?.length ?? 0) === 0) || part.type === "refusal";
}

function join(parts: readonly AnswerPart[], type: "text" | "refusal"): string | null {
  const texts = parts.flatMap((part) => (part.type === type ? [part.text] : []));
  return texts.length === 0 ? null : texts.join("");
}

/** Citations counted over the text as a whole, which the caller sees. */
function encodeAnnotations(parts: readonly AnswerPart[], own: unknown): Json {
  const annotations: unknown[] = [];
  let base = 0;
  for (const part of parts) {
    if (part.type !== "text") continue;
    for (const citation of part.citations ?? []) {
      const annotation = encodeCitation(citation, { base, length: part.text.length });
      if (annotation !== null) annotations.push(annotation);
    }
    base += part.text.length;
  }
  return annotations.length === 0 ? {} : { annotations: [...annotations, ...(Array.isArray(own) ? (own as unknown[]) : [])] };
}

/** Streamed sound comes in several parts, of which the first names the id and the last says when it expires. */
function encodeAudio(parts: readonly MediaPart[]): Json | undefined {
  const sound = parts.filter((part) => part.mediaType.startsWith("audio/") && part.source.kind === "base64");
  if (sound.length === 0) return undefined;
  const own = Object.assign({}, ...sound.map(chatExtras)) as Json;
  const transcript = sound.map((part) => chatExtras(part)["transcript"]).filter((text) => typeof text === "string");
  const data = joinBase64(sound.map((part) => (part.source.kind === "base64" ? part.source.data : "")));
  return { ...own, data, ...(transcript.length === 0 ? {} : { transcript: transcript.join("") }) };
}

/** Pictures have no field by the protocol; vendors that make them answer with this one. */
function encodeImages(parts: readonly MediaPart[]): Json {
  const images = parts.filter((part) => part.mediaType.startsWith("image/"));
  return images.length === 0 ? {} : { images: images.map((part) => encodeImage(part, chatExtras(part))) };
}
