import type { Extras, Message, ModelCall, ProtocolId, TextPart } from "../../../calls/index.js";
import { unsupported } from "../fields.js";
import type { Adapting } from "./adapting.js";
import { adaptReasoning } from "./adapt-reasoning.js";

/** The fields beside the conversation and the tools, in the target's terms. */
export function adaptFields(call: ModelCall, adapting: Adapting): ModelCall {
  const { target, warn } = adapting;
  leaveOutExtras(call, target.protocol, warn);
  const dropped = (target.quirks.dropped ?? []).filter((field) => call[field] !== undefined);
  for (const field of dropped) warn(field, "was left out: the vendor refuses it");
  const kept = dropped.length === 0 ? call : { ...call, ...Object.fromEntries(dropped.map((field) => [field, undefined])) };
  const reasoning = kept.reasoning === undefined ? undefined : adaptReasoning(kept.reasoning, adapting);
  return withoutSchema(reasoning === kept.reasoning ? kept : { ...kept, reasoning }, adapting);
}

/** What the vendor cannot be held to, the model is told. */
function withoutSchema(call: ModelCall, { target, warn }: Adapting): ModelCall {
  const { output } = call;
  if (target.quirks.jsonObjectOnly !== true || output?.type !== "json-schema") return call;
  warn("output", "has a schema that the vendor does not enforce: it was told to the model in words");
  const about = output.description === undefined ? "" : ` ${output.description}`;
  const text = `Answer with one JSON object, "${output.name}", that is valid by this JSON Schema.${about}\n${JSON.stringify(output.schema)}`;
  const first = call.messages.findIndex((message) => message.role !== "system" && message.role !== "developer");
  const at = first < 0 ? call.messages.length : first;
  const messages: Message[] = [...call.messages];
  messages.splice(at, 0, { role: "system", content: [{ type: "text", text }] });
  return { ...call, messages, output: { type: "json" } };
}

/** Fields of another protocol that hold what the model is to go by, or what it is to work with: without them the call would be another one. */
const essential: ReadonlySet<string> = new Set(["prompt", "cachedContent", "mcp_servers", "web_search_options"]);
/** In turns, parts and tools: what our codecs note of a form whose content is neutral, and names that vendors give to what they made. Nothing is lost with them elsewhere. */
const marks: ReadonlySet<string> = new Set([
  ...[
    "id",
    "status",
    "type",
    "index",
    "role",
    "item",
    "block",
    "field",
    "segments",
    "instructions",
    "content",
    "parameters",
    "input_audio",
  ],
  ...["reasoning_details", "annotations", "logprobs", "caller", "thoughtSignature"],
]);

/**
 * Fields of another protocol that have no neutral meaning are left out by every encoder, which the caller is told; those of turns, parts and tools too.
 * Errors: `unsupported_feature` for those without which the call would be another one.
 */
function leaveOutExtras(call: ModelCall, protocol: ProtocolId, warn: Adapting["warn"]): void {
  const leaveOut = (of: { readonly extras?: Extras | undefined }, at: string): void => {
    for (const [from, fields] of Object.entries(of.extras ?? {})) {
      if (from === protocol) continue;
      for (const [name, value] of Object.entries(fields)) {
        // Who switches off what there is nowhere else, or says nothing, has lost nothing.
        if (value === false || value === null || value === undefined || (at !== "" && isEmpty(value))) continue;
        if (at === "" && essential.has(name)) throw unsupported(name, `is known to ${from} alone`);
        if (at === "" || !marks.has(name)) warn(at + name, `is a field of ${from} alone, and was left out`);
      }
    }
  };
  leaveOut(call, "");
  call.messages.forEach((message, i) => {
    leaveOut(message, `messages[${i}].`);
    message.content.forEach((part, j) => {
      if (part.type !== "native") leaveOut(part, `messages[${i}].content[${j}].`);
    });
  });
  call.tools?.forEach((tool, i) => {
    if (!("hosted" in tool)) leaveOut(tool, `tools[${i}].`);
  });
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/**
 * A system message after the first turn where the vendor takes none: the user says it, marked as what it is. It is not moved to the front, where it would change the
 * beginning that a vendor has cached, and come before what it is about.
 */
export function systemAtFront(messages: readonly Message[], { target, warn }: Adapting): readonly Message[] {
  if (target.quirks.systemAnywhere !== false) return messages;
  const first = messages.findIndex((message) => message.role !== "system" && message.role !== "developer");
  return messages.map((message, i) => {
    if (first < 0 || i < first || (message.role !== "system" && message.role !== "developer")) return message;
    warn(`messages[${i}]`, `has the role "${message.role}" after the first turn, and was sent as a message of the user`);
    return { role: "user", content: marked(message.content) };
  });
}

function marked(parts: readonly TextPart[]): readonly TextPart[] {
  return parts.map((part, i) => {
    const open = i === 0 ? "<system>\n" : "";
    const close = i === parts.length - 1 ? "\n</system>" : "";
    const { citations: _citations, ...rest } = part;
    return { ...rest, text: `${open}${part.text}${close}` };
  });
}
