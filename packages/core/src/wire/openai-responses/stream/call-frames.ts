import type { ModelEvent, ToolCallPart } from "../../../calls/index.js";
import { callItem, type ItemIds } from "../answer/encode-items.js";
import { ownExtras, type Json } from "../extras.js";
import type { ResponseFrames } from "./response-frames.js";

type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;

/** One tool call in a stream; several may be open at once. */
export class CallFrames {
  readonly #frames: ResponseFrames;
  readonly #id: string;
  readonly #place: number;
  readonly #start: Of<"tool-call-start">;
  #text = "";

  constructor(event: Of<"tool-call-start">, o: { readonly frames: ResponseFrames; readonly ids: ItemIds }) {
    this.#frames = o.frames;
    this.#start = event;
    this.#id = o.ids.of(ownExtras(event)["id"], this.#isText ? "ctc" : "fc");
    this.#place = o.frames.begin({ ...this.#item({}), status: "in_progress", [this.#field]: "" });
  }

  get #isText(): boolean {
    return this.#start.input === "text";
  }
  get #field(): "input" | "arguments" {
    return this.#isText ? "input" : "arguments";
  }

  delta(text: string): void {
    this.#text += text;
    this.#add("delta", { delta: text });
  }

  end(event: Of<"tool-call-end">): void {
    const item = this.#item(ownExtras(event));
    this.#add("done", { [this.#field]: item[this.#field] });
    this.#frames.done(this.#place, item);
  }

  /** The answer ended before the call did: it must not be taken for whole. */
  cut(): void {
    this.#frames.done(this.#place, { ...this.#item({}), status: "incomplete", [this.#field]: this.#text });
  }

  #item(more: Readonly<Json>): Json {
    const { id, name, input } = this.#start;
    const extras = { "openai-responses": { ...ownExtras(this.#start), ...more } };
    const part: ToolCallPart = { type: "tool-call", id, name, arguments: this.#text, input, extras };
    return callItem(part, this.#id);
  }

  #add(what: "delta" | "done", fields: Json): void {
    const type = this.#isText ? `response.custom_tool_call_input.${what}` : `response.function_call_arguments.${what}`;
    const name = what === "done" && !this.#isText ? { name: this.#start.name } : {};
    this.#frames.add(type, { item_id: this.#id, output_index: this.#place, ...name, ...fields });
  }
}
