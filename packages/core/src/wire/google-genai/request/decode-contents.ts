import type { JsonObject, MediaPart, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from "../../../calls/index.js";
import { invalid, type Fields } from "../../shared/fields.js";
import { asExtras, googleExtras, said } from "../extras.js";
import { fieldsOf, googleFields } from "../proto-json.js";
import { signatureOf } from "../signature.js";
import { decodeResult, OpenCalls } from "./function-responses.js";
import { decodeMedia } from "./media-part.js";
import type { PartTexts } from "./part-texts.js";

type UserMessage = Extract<Message, { role: "user" }>;
type AssistantMessage = Extract<Message, { role: "assistant" }>;
type AssistantPart = AssistantMessage["content"][number];

/** `systemInstruction`, a content whose role says nothing. */
export function decodeSystem(body: Fields): Message[] {
  const system = fieldsOf(body, "systemInstruction");
  if (system === undefined) return [];
  const content = system.list("parts").map((value, i): TextPart => {
    const part = googleFields(value, `${system.path("parts")}[${i}]`);
    return { type: "text", text: part.string("text"), ...asExtras(part.rest()) };
  });
  return [{ role: "system", content, ...asExtras(system.rest()) }];
}

/** `contents`, in order. Results of functions stand in turns of the user, and are messages of their own in neutral shape. */
export function decodeContents(list: readonly unknown[], texts: PartTexts): Message[] {
  const calls = new OpenCalls();
  return list.flatMap((value, i) => {
    const content = googleFields(value, `contents[${i}]`);
    const role = content.optionalString("role") ?? "user";
    const parts = (content.optionalList("parts") ?? []).map((part, j) => ({
      part: googleFields(part, `contents[${i}].parts[${j}]`),
      item: part as JsonObject,
      place: `${i}.${j}`,
    }));
    const own = asExtras(content.rest());
    if (role === "model") {
      const said = parts.map((given) => decodeModelPart(given, texts, calls));
      return [{ role: "assistant" as const, content: withWholeThoughts(said), ...own }];
    }
    if (role !== "user" && role !== "function" && role !== "tool") throw invalid(content.path("role"), 'must be "user" or "model"');
    return withOwn(decodeUserParts(parts, texts, calls), own);
  });
}

/**
 * A thought that was streamed comes back in the pieces that it came in, its signature on the last. They are one, since a signature may be of the whole text.
 */
function withWholeThoughts(parts: readonly AssistantPart[]): AssistantPart[] {
  const out: AssistantPart[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    const isMore = part.type === "reasoning" && last?.type === "reasoning" && last.opaque === undefined;
    if (isMore && part.extras === undefined && last.extras === undefined) out[out.length - 1] = { ...part, text: last.text + part.text };
    else out.push(part);
  }
  return out;
}

interface GivenPart {
  readonly part: Fields;
  readonly item: JsonObject;
  readonly place: string;
}

/** Runs of results and of what the user said, each a message. */
function decodeUserParts(parts: readonly GivenPart[], texts: PartTexts, calls: OpenCalls): Message[] {
  const messages: Message[] = [];
  for (const given of parts) {
    const response = fieldsOf(given.part, "functionResponse");
    const last = messages.at(-1);
    if (response !== undefined) {
      const result: ToolResultPart = decodeResult(given.part, response, {
        text: texts.responses.get(given.place),
        place: given.place,
        calls,
      });
      if (last?.role === "tool") messages[messages.length - 1] = { role: "tool", content: [...last.content, result] };
      else messages.push({ role: "tool", content: [result] });
    } else {
      const part = decodeUserPart(given);
      if (last?.role === "user") messages[messages.length - 1] = { role: "user", content: [...last.content, part] };
      else messages.push({ role: "user", content: [part] });
    }
  }
  return messages.length === 0 ? [{ role: "user", content: [] }] : messages;
}

function withOwn(messages: Message[], own: ReturnType<typeof asExtras>): Message[] {
  const [first, ...others] = messages as [Message, ...Message[]];
  return own.extras === undefined ? messages : [{ ...first, ...own }, ...others];
}

function decodeUserPart({ part, item }: GivenPart): UserMessage["content"][number] {
  const text = part.optionalString("text");
  const isThought = part.optionalBoolean("thought") === true;
  if (text !== undefined && !isThought) return decodeText(part, text);
  return (isThought ? null : decodeMedia(part)) ?? { type: "native", protocol: "google-genai", item };
}

function decodeModelPart({ part, item, place }: GivenPart, texts: PartTexts, calls: OpenCalls): AssistantPart {
  const called = fieldsOf(part, "functionCall");
  if (called !== undefined) return decodeCall(part, called, { text: texts.args.get(place), place, calls });
  const text = part.optionalString("text");
  const isThought = part.optionalBoolean("thought") === true;
  const signature = part.raw("thoughtSignature");
  if (isThought && (text !== undefined || typeof signature === "string")) return decodeThought(part, text ?? "");
  if (text !== undefined) return decodeText(part, text);
  const media = isThought ? null : decodeMedia(part);
  return media === null ? { type: "native", protocol: "google-genai", item } : withSignature(media, signature);
}

/** Media have no place for a signature of their own in neutral shape: it rides along. */
function withSignature(media: MediaPart, signature: unknown): MediaPart {
  if (signatureOf(signature) === undefined) return media;
  return { ...media, ...asExtras({ ...googleExtras(media), thoughtSignature: signature }) };
}

function decodeText(part: Fields, text: string): TextPart {
  const opaque = signatureOf(part.optionalString("thoughtSignature"));
  return { type: "text", text, ...(opaque === undefined ? {} : { opaque }), ...asExtras(part.rest()) };
}
function decodeThought(part: Fields, text: string): ReasoningPart {
  const opaque = signatureOf(part.optionalString("thoughtSignature"));
  return { type: "reasoning", text, ...(opaque === undefined ? {} : { opaque }), ...asExtras(part.rest()) };
}

function decodeCall(
  part: Fields,
  called: Fields,
  o: { readonly text: string | undefined; readonly place: string; readonly calls: OpenCalls },
): ToolCallPart {
  const name = called.string("name");
  const args = called.optionalObject("args");
  const id = called.optionalString("id");
  const opaque = signatureOf(part.optionalString("thoughtSignature"));
  part.optionalBoolean("thought");
  return {
    type: "tool-call",
    id: o.calls.add(name, id === "" ? undefined : id, o.place),
    name,
    arguments: args === undefined ? "{}" : (o.text ?? JSON.stringify(args)),
    ...(opaque === undefined ? {} : { opaque }),
    ...asExtras({ ...part.rest(), functionCall: said(called.rest()) }),
  };
}
