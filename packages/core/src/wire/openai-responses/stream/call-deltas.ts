import { areWholeArguments } from "../../openai-chat/answer/finish-reason.js";
import { asExtras, ownExtras, textOf, type Json } from "../extras.js";
import { argumentsText, toolCallExtras } from "../items/tool-call-item.js";
import type { Blocks } from "./blocks.js";

/** One tool call of a stream. It ends when its item is done, unless that says that it is not whole; where the item does not say, the end of the response tells. */
export class CallDeltas {
  readonly #blocks: Blocks;
  readonly #isText: boolean;
  readonly #block: number;
  #text = "";
  #ended = false;
  #cut = false;
  #item: Json;

  constructor(item: Json, o: { readonly id: string; readonly blocks: Blocks }) {
    this.#blocks = o.blocks;
    this.#item = item;
    this.#isText = item["type"] === "custom_tool_call";
    this.#block = o.blocks.begin("tool-call-begun", null);
    const { status: _status, ...own } = ownExtras(toolCallExtras(item));
    const input = this.#isText ? { input: "text" as const } : {};
    const name = textOf(item["name"]) ?? "";
    o.blocks.emit({ type: "tool-call-start", index: 0, block: this.#block, id: o.id, name, ...input, ...asExtras(own) });
  }

  push(event: Json): boolean {
    switch (event["type"]) {
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        if (typeof event["delta"] === "string") this.#tell(event["delta"]);
        return true;
      case "response.function_call_arguments.done":
        this.#complete(event["arguments"]);
        return true;
      case "response.custom_tool_call_input.done":
        this.#complete(event["input"]);
        return true;
      default:
        return false;
    }
  }

  done(item: Json): void {
    this.#item = item;
    this.#complete(argumentsText(item[this.#isText ? "input" : "arguments"]));
    this.#cut = item["status"] === "incomplete";
    if (item["status"] === "completed" || (!this.#isText && this.#text !== "" && areWholeArguments(this.#text))) this.#end();
  }

  /** The response ended: what is still open ends with it when it is whole. */
  close(responseIsCut: boolean): void {
    if (!responseIsCut) this.#end();
  }

  #complete(whole: unknown): void {
    if (typeof whole === "string" && whole.startsWith(this.#text)) this.#tell(whole.slice(this.#text.length));
  }

  #tell(text: string): void {
    if (text === "" || this.#ended) return;
    this.#text += text;
    this.#blocks.emit({ type: "tool-call-delta", index: 0, block: this.#block, text });
  }

  #end(): void {
    if (this.#ended || this.#cut) return;
    if (this.#text === "" && !this.#isText) this.#tell("{}");
    this.#ended = true;
    this.#blocks.told.push({ type: "tool-call" });
    this.#blocks.emit({ type: "tool-call-end", index: 0, block: this.#block, ...toolCallExtras(this.#item) });
  }
}
