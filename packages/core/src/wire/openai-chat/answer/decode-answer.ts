import type { AnswerPart, Candidate, MediaPart, ModelAnswer, ReasoningPart, TextPart, ToolCallPart } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { newId } from "../../../util/ids.js";
import { isObject } from "../../../util/json.js";
import { readDataUrl } from "../../shared/data-url.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInBody } from "../decode-error.js";
import { asExtras } from "../extras.js";
import { isLegacyCall, legacyCallId } from "../legacy-call.js";
import { CallIds } from "../../shared/answers/call-ids.js";
import { placeCitations, splitAnnotations } from "./citations.js";
import { areWholeArguments, decodeFinish, mayBeCut, takeStopSequence, type Holds } from "./finish-reason.js";
import { decodeLogprobs } from "./logprobs.js";
import { decodeUsage } from "./usage.js";

type Json = Record<string, unknown>;

/**
 * `Codec.decodeAnswer` of Chat Completions. Of a candidate that was cut short a tool call without whole arguments is left out.
 * Errors: `upstream_protocol`; the vendor's own error when one came in a 200.
 */
export function decodeAnswer(bytes: Uint8Array): ModelAnswer {
  const body = parseUpstreamJson(bytes);
  const error = errorInBody(body);
  if (error !== null) throw error;
  const { id, object: _object, created, model, choices, usage, ...rest } = body;
  if (!Array.isArray(choices)) throw new GatewayError("upstream_protocol", "The vendor's answer has no choices.");
  const answerId = textOf(id) ?? newId("chatcmpl");
  return {
    id: answerId,
    model: textOf(model) ?? "",
    createdAtMs: createdMs(created),
    candidates: choices.map((choice, position) => decodeChoice(choice, position, answerId)),
    usage: decodeUsage(usage, rest["service_tier"]),
    ...asExtras({ ...rest, usage: isObject(usage) ? usage : undefined }),
  };
}

/** Seconds of the vendor; now where it sent none. */
export function createdMs(created: unknown): number {
  return typeof created === "number" && Number.isFinite(created) && created > 0 ? Math.round(created * 1000) : Date.now();
}

/** A text that says something. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function decodeChoice(choice: unknown, position: number, answerId: string): Candidate {
  if (!isObject(choice) || !isObject(choice["message"]))
    throw new GatewayError("upstream_protocol", "A choice of the vendor's answer has no message.");
  const { index: given, message, finish_reason, logprobs, ...others } = choice;
  const index = Number.isSafeInteger(given) ? (given as number) : position;
  const { parts: said, calls, own } = decodeMessage(message as Json, new CallIds(answerId, index));
  const { parts, left } = withLogprobs(said, logprobs);
  const { stopSequence, own: rest } = takeStopSequence(others);
  const word = textOf(finish_reason);
  const counted = word === undefined ? calls.filter((call) => areWholeArguments(call.arguments)) : calls;
  const holds: Holds = {
    calls: counted.length > 0,
    legacyCall: counted.some(isLegacyCall),
    refusal: parts.some((part) => part.type === "refusal"),
  };
  const { reason, raw } = decodeFinish(word, holds);
  const whole = mayBeCut(word, reason) ? calls.filter((call) => areWholeArguments(call.arguments)) : calls;
  return {
    index,
    content: [...parts, ...whole.map(withArguments)],
    finishReason: reason,
    ...(raw === undefined ? {} : { rawFinishReason: raw }),
    ...(stopSequence === undefined ? {} : { stopSequence }),
    ...asExtras({ ...rest, logprobs: left, message: own }),
  };
}

/** Probabilities of the text's tokens belong to the text; those of a refusal, or of no text at all, have no neutral place. */
function withLogprobs(parts: AnswerPart[], logprobs: unknown): { parts: AnswerPart[]; left: unknown } {
  if (!isObject(logprobs)) return { parts, left: undefined };
  const tokens = decodeLogprobs(logprobs["content"]);
  const first = parts.findIndex((part) => part.type === "text");
  if (tokens.length === 0 || first < 0) return { parts, left: logprobs };
  const refusal = logprobs["refusal"] ?? null;
  const marked = parts.map((part, i) => (i === first ? ({ ...part, logprobs: tokens } as TextPart) : part));
  return { parts: marked, left: refusal === null ? undefined : { content: null, refusal } };
}

/** A function call without arguments is one with none; what a custom tool is given is no JSON and stays empty. */
function withArguments(call: ToolCallPart): ToolCallPart {
  return call.arguments === "" && call.input !== "text" ? { ...call, arguments: "{}" } : call;
}

function decodeMessage(message: Json, ids: CallIds): { parts: AnswerPart[]; calls: ToolCallPart[]; own: Json | undefined } {
  const { role: _role, content, refusal, tool_calls, function_call, audio, images, annotations, ...others } = message;
  const { reasoning, own } = takeReasoning(others);
  const { parts: spoken, left } = withCitations(contentParts(content), annotations);
  if (left !== undefined) own["annotations"] = left;
  const parts: AnswerPart[] = [...reasoning, ...spoken];
  if (textOf(refusal) !== undefined) parts.push({ type: "refusal", text: refusal as string });
  parts.push(...decodeMedia(audio, images));
  const calls = Array.isArray(tool_calls) ? tool_calls.filter(isObject).map((call) => decodeCall(call, ids)) : [];
  if (isObject(function_call)) calls.push(decodeLegacyCall(function_call));
  const said = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null));
  return { parts, calls, own: Object.keys(said).length === 0 ? undefined : said };
}

function withCitations(parts: (TextPart | ReasoningPart)[], annotations: unknown): { parts: AnswerPart[]; left: unknown } {
  const { citations, others } = splitAnnotations(annotations);
  const texts = parts.filter((part) => part.type === "text");
  // Without a text there is nothing that they could rest on.
  if (citations.length === 0 || texts.length === 0) return { parts, left: citations.length === 0 ? others : annotations };
  const placed = placeCitations(texts, citations);
  return { parts: parts.map((part) => (part.type === "text" ? (placed[texts.indexOf(part)] as TextPart) : part)), left: others };
}

/** Reasoning under the names that compatible vendors give it; what they seal (`reasoning_details`) is kept as it came, in order. */
function takeReasoning(message: Json): { reasoning: AnswerPart[]; own: Json } {
  const { reasoning_content, reasoning, reasoning_details, ...own } = message;
  const details = Array.isArray(reasoning_details) ? (reasoning_details as unknown[]) : undefined;
  const field = typeof reasoning_content === "string" ? "reasoning_content" : typeof reasoning === "string" ? "reasoning" : undefined;
  if (field === undefined && details === undefined) return { reasoning: [], own };
  const text = field === undefined ? "" : (message[field] as string);
  return { reasoning: [{ type: "reasoning", text, ...asExtras({ field, reasoning_details: details }) }], own };
}

/** Some vendors answer with a list of parts, reasoning among them. An empty text is no part. */
export function contentParts(content: unknown): (TextPart | ReasoningPart)[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isObject).flatMap((part): (TextPart | ReasoningPart)[] => {
    if (part["type"] === "text" && textOf(part["text"]) !== undefined) return [{ type: "text", text: part["text"] as string }];
    if (part["type"] === "thinking") return [{ type: "reasoning", text: contentParts(part["thinking"]).map(textIn).join("") }];
    return [];
  });
}
function textIn(part: TextPart | ReasoningPart): string {
  return part.type === "text" ? part.text : "";
}

/** Sound as the vendor made it, in the format that the request asked for and the answer does not name; pictures as vendors that make them send them. */
export function decodeMedia(audio: unknown, images: unknown): MediaPart[] {
  const parts: MediaPart[] = [];
  if (isObject(audio)) {
    const { data, ...own } = audio;
    parts.push({ type: "media", mediaType: "audio/*", source: { kind: "base64", data: textOf(data) ?? "" }, ...asExtras(own) });
  }
  for (const image of Array.isArray(images) ? images : []) {
    const url = isObject(image) && isObject(image["image_url"]) ? textOf(image["image_url"]["url"]) : undefined;
    if (url === undefined) continue;
    const inline = readDataUrl(url);
    if (inline === null) parts.push({ type: "media", mediaType: "image/*", source: { kind: "url", url } });
    else parts.push({ type: "media", mediaType: inline.mediaType, source: { kind: "base64", data: inline.data } });
  }
  return parts;
}

function decodeCall(call: Json, ids: CallIds): ToolCallPart {
  const { id: given, type, index: _index, function: called, custom, ...rest } = call;
  const id = ids.take(given);
  if (type === "custom" && isObject(custom))
    return {
      type: "tool-call",
      id,
      name: textOf(custom["name"]) ?? "",
      arguments: argumentsText(custom["input"]),
      input: "text",
      ...asExtras(rest),
    };
  const { name, arguments: args } = isObject(called) ? called : ({} as Json);
  return { type: "tool-call", id, name: textOf(name) ?? "", arguments: argumentsText(args), ...asExtras(rest) };
}

function decodeLegacyCall(call: Json): ToolCallPart {
  return {
    type: "tool-call",
    id: legacyCallId,
    name: textOf(call["name"]) ?? "",
    arguments: argumentsText(call["arguments"]),
    ...asExtras({ type: "function_call" }),
  };
}

/** The JSON text as the model wrote it; a few vendors send the object itself. */
export function argumentsText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
