import type { MediaPart, Message, ReasoningPart, TextPart, ToolResultPart } from "../../../calls/index.js";
import { unsupported } from "../../shared/fields.js";
import { imageId } from "../answer/encode-items.js";
import { ownExtras, textOf, type Json } from "../extras.js";
import { encodeImage } from "../items/image-item.js";
import { encodeSpoken, markOf, type SpokenPart } from "../items/message-item.js";
import { encodeReasoning, isSegments } from "../items/reasoning-item.js";
import { encodeToolCall } from "../items/tool-call-item.js";
import { encodeContent } from "./content-parts.js";
import type { Encoding } from "./encoding.js";

type UserMessage = Extract<Message, { role: "user" }>;
type AssistantMessage = Extract<Message, { role: "assistant" }>;
type Maker = "caller" | "model" | "reasoning";

/** `instructions` and `input` of a request. */
export function encodeInput(messages: readonly Message[], encoding: Encoding): { instructions?: string; input?: unknown[] } {
  const first = messages[0];
  const instructed = first?.role === "system" && ownExtras(first)["instructions"] === true;
  const items = new InputItems(messages, encoding);
  messages.forEach((message, i) => {
    if (i > 0 || !instructed) items.push(message, `messages[${i}]`);
  });
  const input = items.end();
  const instructions = instructed ? { instructions: first.content.map((part) => part.text).join("") } : {};
  // What is kept at the vendor needs no input.
  return { ...instructions, ...(input.length === 0 && encoding.own ? {} : { input }) };
}

class InputItems {
  readonly #items: { item: Json; readonly maker: Maker; readonly path: string }[] = [];
  readonly #encoding: Encoding;
  readonly #textCalls: ReadonlySet<string>;
  /** Reasoning was left out in front of the item that comes next. */
  #bereft = false;
  #leftOut: { readonly path: string; count: number } | null = null;

  constructor(messages: readonly Message[], encoding: Encoding) {
    this.#encoding = encoding;
    const calls = messages.flatMap((message) => message.content.filter((part) => part.type === "tool-call"));
    this.#textCalls = new Set(calls.filter((call) => call.input === "text").map((call) => call.id));
  }

  push(message: Message, path: string): void {
    switch (message.role) {
      case "system":
      case "developer": {
        const role = this.#encoding.quirks.developerRole === false ? "system" : message.role;
        this.#add(
          "caller",
          { ...ownExtras(message), role, content: encodeContent(message.content, `${path}.content`, this.#encoding) },
          path,
        );
        return;
      }
      case "user":
        this.#user(message, path);
        return;
      case "assistant":
        this.#assistant(message, path);
        return;
      case "tool":
        for (const [i, result] of message.content.entries()) this.#result(result, `${path}.content[${i}]`);
    }
  }

  /** A reasoning item has to be followed by what the model made of it: one that is not is left out, because the vendor refuses the whole conversation. */
  end(): Json[] {
    const kept: Json[] = [];
    let next: Maker | null = null;
    for (const { item, maker, path } of this.#items.toReversed()) {
      if (maker === "reasoning" && next !== "model" && next !== "reasoning") {
        this.#encoding.warn(path, "is reasoning without what followed it, and was left out");
        continue;
      }
      next = maker;
      kept.push(item);
    }
    if (this.#leftOut !== null) {
      const more = this.#leftOut.count > 1 ? ` with ${this.#leftOut.count - 1} more` : "";
      this.#encoding.warn(this.#leftOut.path, `is reasoning that this vendor cannot take back, and was left out${more}`);
    }
    return kept.reverse();
  }

  /** An item that was made of reasoning which is left out is sent as a new one: by its id the vendor would ask for the reasoning. */
  #add(maker: Maker, item: Json, path: string): void {
    const { id: _id, ...anonymous } = item;
    this.#items.push({ item: maker === "model" && this.#bereft ? anonymous : item, maker, path });
    this.#bereft = false;
  }

  #user(message: UserMessage, path: string): void {
    if (message.name !== undefined) this.#encoding.warn(`${path}.name`, "was left out: the protocol has no names of users");
    let run: (TextPart | MediaPart)[] = [];
    const own = ownExtras(message);
    const flush = () => {
      if (run.length > 0 || message.content.length === 0)
        this.#add("caller", { ...own, role: "user", content: encodeContent(run, `${path}.content`, this.#encoding) }, path);
      run = [];
    };
    message.content.forEach((part, i) => {
      if (part.type !== "native") {
        run.push(part);
        return;
      }
      if (run.length > 0) flush();
      if (part.protocol === "openai-responses") this.#add("caller", part.item, `${path}.content[${i}]`);
      else this.#encoding.warn(`${path}.content[${i}]`, `is an item of ${part.protocol} alone, and was left out`);
    });
    if (run.length > 0 || message.content.length === 0) flush();
  }

  #assistant(message: AssistantMessage, path: string): void {
    const { content } = message;
    if (message.name !== undefined) this.#encoding.warn(`${path}.name`, "was left out: the protocol has no names of assistants");
    for (let i = 0; i < content.length; i++) {
      const part = content[i] as AssistantMessage["content"][number];
      const at = `${path}.content[${i}]`;
      if ("cache" in part) this.#encoding.leaveMark(part, at);
      if (part.type === "text" || part.type === "refusal") {
        const said: SpokenPart[] = [part];
        for (let next = content[i + 1]; isContinued(next); next = content[i + 1]) {
          said.push(next);
          i++;
        }
        this.#add("model", spokenItem(said), at);
      } else if (part.type === "reasoning") this.#reasoning(part, at);
      else if (part.type === "tool-call") this.#add("model", encodeToolCall(part), at);
      else if (part.type === "media") this.#add("model", imageItem(part, at), at);
      else if (part.protocol === "openai-responses") this.#add("model", part.item, at);
      else this.#encoding.warn(at, `is an item of ${part.protocol} alone, and was left out`);
    }
  }

  /** Taken back is what is sealed, what the vendor itself keeps, and what an open model said in full. */
  #reasoning(part: ReasoningPart, path: string): void {
    const { segments } = ownExtras(part);
    const inFull = isSegments(segments) && segments.some(([kind]) => kind === "content");
    if (part.opaque !== undefined || inFull || (part.itemId !== undefined && this.#encoding.stored)) {
      this.#add("reasoning", encodeReasoning(part, part.itemId), path);
      return;
    }
    this.#bereft = true;
    this.#leftOut ??= { path, count: 0 };
    this.#leftOut.count++;
  }

  #result(result: ToolResultPart, path: string): void {
    const { type, ...own } = ownExtras(result);
    const isText = type === "custom_tool_call_output" || this.#textCalls.has(result.callId);
    const item = { ...own, type: isText ? "custom_tool_call_output" : "function_call_output", call_id: result.callId };
    this.#add("caller", { ...item, output: encodeContent(marked(result), `${path}.output`, this.#encoding) }, path);
  }
}

function isContinued(part: AssistantMessage["content"][number] | undefined): part is SpokenPart {
  return (part?.type === "text" || part?.type === "refusal") && markOf(part) === undefined;
}

/** Words of the assistant: with the item's id as the vendor made it, without one as callers write it. */
function spokenItem(said: readonly SpokenPart[]): Json {
  const [only] = said;
  const mark = only === undefined ? undefined : markOf(only);
  if (textOf(mark?.["id"]) !== undefined)
    return { ...mark, type: "message", role: "assistant", status: "completed", content: said.map(encodeSpoken) };
  const { item: _item, ...own } = only === undefined ? {} : ownExtras(only);
  const isPlain = said.length === 1 && only?.type === "text" && only.citations === undefined && only.logprobs === undefined;
  return { ...mark, role: "assistant", content: isPlain && Object.keys(own).length === 0 ? only.text : said.map(encodeSpoken) };
}

/** The only media of an assistant that the protocol takes back are its own pictures. */
function imageItem(part: MediaPart, path: string): Json {
  const id = textOf(imageId(part));
  if (id !== undefined && part.source.kind === "base64") return encodeImage(part, { id, data: part.source.data });
  throw unsupported(path, `is ${part.mediaType} in a message of the assistant, which Responses takes only when it made it itself`);
}

/** The mark of a result is that of its last part. */
function marked(result: ToolResultPart): readonly (TextPart | MediaPart)[] {
  const content = withFailure(result);
  const last = content.at(-1);
  return result.cache === undefined || last === undefined ? content : [...content.slice(0, -1), { ...last, cache: result.cache }];
}

/** The protocol has no place to say that a tool failed; so its text says it. */
function withFailure(result: ToolResultPart): readonly (TextPart | MediaPart)[] {
  const first = result.content.find((part) => part.type === "text");
  if (result.isError !== true || (first !== undefined && /^error/i.test(first.text))) return result.content;
  if (first === undefined) return [{ type: "text", text: "Error" }, ...result.content];
  return result.content.map((part) => (part === first ? { ...first, text: `Error: ${first.text}` } : part));
}
