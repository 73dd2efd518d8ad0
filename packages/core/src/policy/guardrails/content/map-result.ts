import type { JsonObject } from "../../../calls/index.js";
import { isObject, parseJsonText } from "../../../util/json.js";
import { fromBase64, toBase64 } from "./base64.js";
import type { CallVisitor, Place } from "./map-call.js";
import { mapJson } from "./map-json.js";

type Stage = Extract<Place["stage"], "results" | "arguments">;

const TEXT_TYPE = /^(?:text\/|application\/(?:json|xml|yaml)\b)|\+(?:json|xml)\b/;
/** Deeper than anything that means something; what is deeper is not seen. */
const MAX_DEPTH = 100;
/** Shorter numbers identify nobody. */
const SHORTEST_NUMBER = 6;
/** Members that are JSON of their own: who judges texts is given it whole. */
const WHOLE: ReadonlySet<string> = new Set(["structuredContent", "requestedSchema", "inputSchema", "input"]);
/** Members that people or models read as prose, beside the texts of blocks. */
const PROSE: ReadonlySet<string> = new Set(["text", "message", "systemPrompt", "statusMessage"]);
/** Blocks that the protocol knows. */
const BLOCKS: ReadonlySet<unknown> = new Set(["text", "image", "audio", "resource", "resource_link", "tool_use", "tool_result"]);

/**
 * What a server says in MCP (the result of a tool, of a resource or of a prompt, a question, a task) with every text visited: text blocks, embedded resources, structured content, links, and members that nobody knows with their
 * names. Pictures and sound are not seen. The value itself when nothing changed.
 */
export function mapResult(raw: JsonObject, visitor: CallVisitor): JsonObject {
  return new ResultMapper(visitor, "results").object(raw, 0) as JsonObject;
}

/** The same for what a client answers a server's question: a form is the JSON that it is. */
export function mapAnswered(raw: JsonObject, visitor: CallVisitor): JsonObject {
  const mapper = new ResultMapper(visitor, "arguments");
  const { content, ...rest } = raw;
  if (!isObject(content) || BLOCKS.has(content["type"])) return mapper.object(raw, 0) as JsonObject;
  const form = mapper.whole(content);
  const others = mapper.object(rest, 0);
  return form === content && others === rest ? raw : ({ ...(others as JsonObject), content: form } as JsonObject);
}

class ResultMapper {
  readonly #visitor: CallVisitor;
  readonly #stage: Stage;

  constructor(visitor: CallVisitor, stage: Stage) {
    this.#visitor = visitor;
    this.#stage = stage;
  }

  object(value: Record<string, unknown>, depth: number): Record<string, unknown> {
    const entries = Object.entries(value);
    const mapped = entries.map(([name]) => [this.#name(name), this.#member(name, value, depth)] as const);
    return mapped.some(([name, inner], i) => name !== entries[i]![0] || inner !== entries[i]![1]) ? Object.fromEntries(mapped) : value;
  }

  /** As the JSON that it is. */
  whole(value: unknown): unknown {
    const json = JSON.stringify(value) ?? "null";
    const said = this.#visitor.text(json, { kind: "json", stage: this.#stage, group: 0 });
    return said === json ? value : parseJsonText(said);
  }

  #member(name: string, of: Record<string, unknown>, depth: number): unknown {
    const inner = of[name];
    if (typeof inner === "object" && inner !== null && WHOLE.has(name)) return this.whole(inner);
    if (typeof inner === "string" && PROSE.has(name)) return this.#say(inner);
    if (typeof inner === "string" && name === "blob") return this.#blob(inner, of["mimeType"]);
    if (typeof inner === "string" && name === "data" && (of["type"] === "image" || of["type"] === "audio"))
      return this.#bytes(inner, of["type"]);
    // What the protocol has a server count says nothing of anybody.
    if (typeof inner === "number" && this.#stage === "results" && COUNTED.has(name)) return inner;
    return this.#walk(inner, depth + 1);
  }

  #walk(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.#aside(value);
    if (typeof value === "number") return this.#number(value);
    if (depth >= MAX_DEPTH && typeof value === "object" && value !== null) {
      this.#visitor.unseen("a value that is nested too deeply", this.#stage);
      return value;
    }
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#walk(item, depth + 1));
      return items.some((item, i) => item !== value[i]) ? items : value;
    }
    return isObject(value) ? this.object(value, depth) : value;
  }

  /** Names that the protocol gives are not the server's words. */
  #name(name: string): string {
    return name === "" || PROTOCOL.has(name) ? name : this.#visitor.text(name, { kind: "aside", stage: this.#stage, group: 0 });
  }

  #say(text: string): string {
    return text === "" ? text : this.#visitor.text(text, { kind: "text", stage: this.#stage, group: 0 });
  }

  #bytes(data: string, type: string): string {
    this.#visitor.unseen(`a block of type ${type}`, this.#stage);
    return data;
  }

  #blob(data: string, type: unknown): string {
    const text = typeof type === "string" && TEXT_TYPE.test(type) ? fromBase64(data) : null;
    if (text === null) {
      this.#visitor.unseen("a resource of bytes", this.#stage);
      return data;
    }
    const said = this.#say(text);
    return said === text ? data : toBase64(said);
  }

  /** One that is changed becomes a text. */
  #number(value: number): number | string {
    const text = String(value);
    const said = text.length < SHORTEST_NUMBER ? text : this.#visitor.text(text, { kind: "aside", stage: this.#stage, group: 0 });
    return said === text ? value : said;
  }

  #aside(value: string): string {
    const place: Place = { kind: "aside", stage: this.#stage, group: 0 };
    return mapJson(value, {
      text: (text) => (text === "" ? text : this.#visitor.text(text, place)),
      unseen: (what) => this.#visitor.unseen(what, this.#stage),
    });
  }
}

const COUNTED: ReadonlySet<string> = new Set(
  "code costPriority intelligencePriority maxTokens pollIntervalMs priority size speedPriority temperature total ttlMs".split(" "),
);
/** Source: the schemas of MCP 2025-11-25 and 2026-07-28. */
const PROTOCOL: ReadonlySet<string> = new Set(
  (
    "_meta action annotations audience blob cacheScope completion content contents context costPriority createdAt data description " +
    "elicitationId error code hasMore hints icons id includeContext input inputRequests inputSchema intelligencePriority isError lastModified " +
    "lastUpdatedAt maxTokens message messages metadata method mimeType mode model modelPreferences name outputSchema params pollIntervalMs " +
    "priority progressToken requestState requestedSchema resource result resultType role roots size sizes speedPriority src status " +
    "statusMessage stopReason stopSequences structuredContent systemPrompt taskId temperature text title toolChoice toolUseId tools total " +
    "ttlMs type uri url values"
  ).split(" "),
);
