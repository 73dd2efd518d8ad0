import type { HostedTool, MediaPart, Message, ModelCall, NativePart, OutputFormat, ToolSpec } from "../../../calls/index.js";
import type { GuardrailStage } from "../../../entities/index.js";
import { fromBase64, toBase64 } from "./base64.js";
import { mapJson, sealedIn, type JsonVisitor } from "./map-json.js";

/**
 * How a text of a call is to be read. `text`: what somebody says; adjacent ones of a group are one text to a model. `json`: arguments. `aside`: names, descriptions, fields of one
 * protocol: looked at by patterns alone.
 */
export interface Place {
  readonly kind: "text" | "json" | "aside";
  readonly stage: Extract<GuardrailStage, "input" | "results" | "arguments">;
  /** Texts of one message. */
  readonly group: number;
  readonly tool?: string | undefined;
}
export interface CallVisitor {
  /** Gives what stands in the text's place. */
  text(text: string, place: Place): string;
  /** Something that is given to the model and cannot be read here. */
  unseen(what: string, stage: Place["stage"]): void;
}

/** Fields of a protocol by which a vendor adds what it keeps itself: conversations, prompts, containers, caches. */
const KEPT_ELSEWHERE = ["previous_response_id", "conversation", "prompt", "cachedContent", "cached_content", "container"];
const TEXT_TYPE = /^(?:text\/|application\/(?:json|xml|yaml|x-yaml|x-ndjson|csv|javascript|typescript|sql)\b)|\+(?:json|xml)\b/;

/**
 * A call with every text that the model is given visited, in a fixed order: what is said, reasoning, arguments, results, documents of text, names of files, tools and what is said of them, fields
 * of one protocol. The call itself when nothing changed.
 */
export function mapCall(call: ModelCall, visitor: CallVisitor): ModelCall {
  return new CallMapper(visitor).call(call);
}

type AnyPart = Message["content"][number];

class CallMapper {
  readonly #visitor: CallVisitor;
  #group = 0;

  constructor(visitor: CallVisitor) {
    this.#visitor = visitor;
  }

  call(call: ModelCall): ModelCall {
    for (const own of Object.values(call.extras ?? {}))
      for (const field of KEPT_ELSEWHERE)
        if (((own as Record<string, unknown>)[field] ?? null) !== null) this.#visitor.unseen(`the field ${field}`, "input");
    return changed(call, {
      messages: each(call.messages, (message) => this.#message(message)),
      tools: call.tools === undefined ? undefined : each(call.tools, (tool) => this.#tool(tool)),
      output: this.#output(call.output),
      stop: this.#prose(call.stop),
      user: this.#prose(call.user),
      metadata: this.#prose(call.metadata),
      extras: this.#json(call.extras),
    });
  }

  #message(message: Message): Message {
    this.#group++;
    const content = each(message.content as readonly AnyPart[], (part) => this.#part(part));
    const name = "name" in message ? { name: this.#json(message.name) } : {};
    return changed(message, { content, ...name, extras: this.#json(message.extras) } as Partial<Message>);
  }

  #part(part: AnyPart): AnyPart {
    switch (part.type) {
      case "text":
        return changed(part, { text: this.#say(part.text), citations: this.#json(part.citations), extras: this.#json(part.extras) });
      case "reasoning":
      case "refusal":
        return changed(part, { text: this.#say(part.text), extras: this.#json(part.extras) });
      case "tool-call":
        return changed(part, {
          name: this.#aside(part.name),
          arguments: this.#visitor.text(part.arguments, {
            ...{ kind: part.input === "text" ? "text" : "json", stage: "input", group: ++this.#group, tool: part.name },
          }),
          extras: this.#json(part.extras),
        });
      case "tool-result":
        this.#group++;
        return changed(part, {
          content: each(part.content, (inner) =>
            inner.type === "text"
              ? changed(inner, { text: this.#say(inner.text, "results"), extras: this.#json(inner.extras, "results") })
              : this.#media(inner, "results"),
          ),
          extras: this.#json(part.extras),
        });
      case "media":
        return this.#media(part, "input");
      case "native":
        return this.#native(part);
    }
  }

  #native(part: NativePart): NativePart {
    const type = part.item["type"];
    if (type === "item_reference" || type === "compaction") this.#visitor.unseen("an item that the vendor keeps", "input");
    return changed(part, { item: this.#json(part.item, "input", { sealed: sealedIn(part.protocol) }) });
  }

  /** A document of text is a text, everything else is not seen. */
  #media(part: MediaPart, stage: Place["stage"]): MediaPart {
    const filename = this.#json(part.filename, stage);
    const { source, mediaType } = part;
    const text = source.kind === "base64" && TEXT_TYPE.test(mediaType) ? fromBase64(source.data) : null;
    if (text === null || source.kind !== "base64") {
      this.#visitor.unseen(`a file of type ${mediaType.slice(0, 60)}`, stage);
      return changed(part, { filename, source: source.kind === "url" ? changed(source, { url: this.#aside(source.url, stage) }) : source });
    }
    this.#group++;
    const said = this.#say(text, stage);
    return changed(part, { filename, source: said === text ? source : { ...source, data: toBase64(said) } });
  }

  #tool(tool: ToolSpec | HostedTool): ToolSpec | HostedTool {
    if (!("hosted" in tool))
      return changed(tool, {
        name: this.#aside(tool.name),
        description: this.#prose(tool.description),
        inputSchema: this.#prose(tool.inputSchema),
        grammar: this.#prose(tool.grammar),
        extras: this.#json(tool.extras),
      });
    this.#visitor.unseen("results of a tool that the vendor runs itself", "results");
    return changed(tool, { definition: this.#json(tool.definition) });
  }

  #output(output: OutputFormat | undefined): OutputFormat | undefined {
    return output?.type === "json-schema" ? this.#prose(output) : output;
  }

  #say(text: string, stage: Place["stage"] = "input"): string {
    return text === "" ? text : this.#visitor.text(text, { kind: "text", stage, group: this.#group });
  }
  #aside(text: string, stage: Place["stage"] = "input"): string {
    return text === "" ? text : this.#visitor.text(text, { kind: "aside", stage, group: 0 });
  }
  /** What a model is told as it is written. */
  #prose<T>(value: T): T {
    return this.#json(value, "input", { isProse: true });
  }
  #json<T>(value: T, stage: Place["stage"] = "input", o: Pick<JsonVisitor, "sealed" | "isProse"> = {}): T {
    if (value === undefined) return value;
    return mapJson(value, { text: (text) => this.#aside(text, stage), unseen: (what) => this.#visitor.unseen(what, stage), ...o });
  }
}

function each<T>(items: readonly T[], map: (item: T) => T): readonly T[] {
  const mapped = items.map(map);
  return mapped.some((item, i) => item !== items[i]) ? mapped : items;
}

/** The object with other values for some fields; the object itself when they are the same. */
function changed<T extends object>(object: T, fields: { readonly [K in keyof T]?: T[K] | undefined }): T {
  let copy: T | null = null;
  for (const key of Object.keys(fields) as (keyof T)[]) {
    if (fields[key] === object[key]) continue;
    copy ??= { ...object };
    copy[key] = fields[key] as T[typeof key];
  }
  return copy ?? object;
}
