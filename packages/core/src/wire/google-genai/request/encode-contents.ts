import type { Message, TextPart, ToolCallPart } from "../../../calls/index.js";
import { unsupported } from "../../shared/fields.js";
import { RawJson } from "../../shared/raw-json.js";
import { googleExtras } from "../extras.js";
import { skipSignature } from "../signature.js";
import { encodeResult } from "./function-responses.js";
import { encodeMedia } from "./media-part.js";
import { isObjectText } from "./part-texts.js";

type Part = Record<string, unknown>;
type Own = Readonly<Record<string, unknown>>;
type Warn = (field: string, what: string) => void;
type AssistantPart = Extract<Message, { role: "assistant" }>["content"][number];

interface Content {
  readonly role: "user" | "model";
  readonly parts: Part[];
  own: Own;
}
export interface EncodedContents {
  readonly contents: readonly unknown[];
  readonly systemInstruction: unknown;
}

/**
 * The conversation as Google takes it: what the system says before the first turn apart, turns of one role joined, no empty parts, the first turn the user's, and on
 * the first call of each turn a signature or what stands in its place.
 */
export function encodeContents(messages: readonly Message[], warn: Warn): EncodedContents {
  const building = new Contents(warn);
  messages.forEach((message, i) => building.push(message, `messages[${i}]`));
  return building.end();
}

class Contents {
  readonly #contents: Content[] = [];
  readonly #system: Part[] = [];
  #systemOwn: Own = {};
  readonly #names = new Map<string, string>();
  readonly #warn: Warn;

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  push(message: Message, path: string): void {
    switch (message.role) {
      case "system":
      case "developer":
        this.#pushSystem(message, path);
        return;
      case "user":
        this.#add(
          "user",
          message.content.flatMap((part, i) => this.#userPart(part, `${path}.content[${i}]`)),
          googleExtras(message),
        );
        if (message.name !== undefined) this.#warn(`${path}.name`, "was left out: Google knows no names");
        return;
      case "assistant":
        this.#add(
          "model",
          message.content.flatMap((part, i) => this.#modelPart(part, `${path}.content[${i}]`)),
          googleExtras(message),
        );
        if (message.name !== undefined) this.#warn(`${path}.name`, "was left out: Google knows no names");
        return;
      case "tool":
        this.#add(
          "user",
          message.content.flatMap((result, i) => this.#result(result, `${path}.content[${i}]`)),
          googleExtras(message),
        );
    }
  }

  end(): EncodedContents {
    if (this.#contents.length === 0) this.#saySystemAsUser();
    if (this.#contents[0]?.role === "model") {
      this.#warn("messages[0]", "is a turn of the assistant: a turn of the user was put before it, which Google demands");
      this.#contents.unshift({ role: "user", parts: [{ text: "(continue)" }], own: {} });
    }
    for (const content of this.#contents) if (content.role === "model") signFirstCall(content.parts);
    return {
      contents: this.#contents.map(({ role, parts, own }) => ({ ...own, role, parts })),
      systemInstruction: this.#system.length === 0 ? undefined : { ...this.#systemOwn, parts: this.#system },
    };
  }

  /** Google refuses a call without contents; all that is said is then said by the user. */
  #saySystemAsUser(): void {
    if (this.#system.length === 0) throw unsupported("messages", "says nothing, which Google does not take");
    this.#warn("messages", "has no turn of the user: what the system says was sent as one");
    this.#contents.push({ role: "user", parts: this.#system.splice(0), own: {} });
  }

  #pushSystem(message: Extract<Message, { role: "system" | "developer" }>, path: string): void {
    const parts = message.content.flatMap((part, i) => this.#text(part, `${path}.content[${i}]`));
    if (this.#contents.length === 0) {
      this.#system.push(...parts);
      this.#systemOwn = { ...this.#systemOwn, ...googleExtras(message) };
      return;
    }
    this.#warn(path, `has the role "${message.role}" after the first turn, and was sent as a message of the user`);
    const marked = parts.map((part) => ({ ...part, text: `<system>\n${String(part["text"])}\n</system>` }));
    this.#add("user", marked, googleExtras(message));
  }

  #add(role: Content["role"], parts: Part[], own: Own): void {
    if (parts.length === 0) return;
    const last = this.#contents.at(-1);
    if (last?.role === role) {
      last.parts.push(...parts);
      last.own = { ...last.own, ...own };
    } else this.#contents.push({ role, parts, own });
  }

  #userPart(part: Extract<Message, { role: "user" }>["content"][number], path: string): Part[] {
    if (part.type === "native") return this.#native(part, path);
    if (part.type === "text") return this.#text(part, path);
    this.#warnOfCache(part, path);
    return [encodeMedia(part)];
  }

  #modelPart(part: AssistantPart, path: string): Part[] {
    switch (part.type) {
      case "text":
        return this.#text(part, path);
      case "refusal":
        return part.text === "" ? [] : [{ text: part.text }];
      case "reasoning": {
        const isSaid = part.text !== "" || part.opaque !== undefined;
        return isSaid ? [{ ...googleExtras(part), text: part.text, thought: true, ...signed(part.opaque) }] : [];
      }
      case "tool-call":
        this.#names.set(part.id, part.name);
        this.#warnOfCache(part, path);
        return [encodeCall(part, () => this.#warn(`${path}.arguments`, "are no JSON object, and were sent as the text in one"))];
      case "media":
        return [encodeMedia(part)];
      case "native":
        return this.#native(part, path);
    }
  }

  /** Google refuses a part that says nothing; one that has a signature says that. */
  #text(part: TextPart, path: string): Part[] {
    this.#warnOfCache(part, path);
    const own = googleExtras(part);
    if (part.text === "" && part.opaque === undefined) return [];
    return [{ ...own, text: part.text, ...signed(part.opaque) }];
  }

  #result(result: Extract<Message, { role: "tool" }>["content"][number], path: string): Part[] {
    this.#warnOfCache(result, path);
    const { name: own } = googleExtras(result);
    const name = this.#names.get(result.callId) ?? (typeof own === "string" ? own : undefined);
    if (name !== undefined) return [encodeResult(result, name)];
    this.#warn(path, "answers no tool call of the conversation, and was left out");
    return [];
  }

  #native(part: { readonly protocol: string; readonly item: object }, path: string): Part[] {
    if (part.protocol === "google-genai") return Object.keys(part.item).length === 0 ? [] : [{ ...part.item }];
    this.#warn(path, `is an item of ${part.protocol} alone, and was left out`);
    return [];
  }

  #warnOfCache(part: { readonly cache?: unknown }, path: string): void {
    if (part.cache !== undefined) this.#warn(`${path}.cache`, "was left out: Google caches by itself");
  }
}

function signed(opaque: string | undefined): { thoughtSignature?: string } {
  return opaque === undefined ? {} : { thoughtSignature: opaque };
}

/** A call of a function; also one of an answer. What is no object is put into one, since Google takes nothing else. */
export function encodeCall(call: ToolCallPart, onBroken: () => void): Part {
  const { functionCall, ...own } = googleExtras(call);
  const text = call.arguments.trim() === "" ? "{}" : call.arguments;
  const isWhole = isObjectText(text);
  if (!isWhole) onBroken();
  const args = isWhole ? new RawJson(text) : { input: text };
  return { ...own, functionCall: { ...(functionCall as Own | undefined), id: call.id, name: call.name, args }, ...signed(call.opaque) };
}

/** Of calls made together only the first has a signature, and has to. */
function signFirstCall(parts: Part[]): void {
  const first = parts.find((part) => part["functionCall"] !== undefined);
  if (first !== undefined) first["thoughtSignature"] ??= skipSignature;
}
