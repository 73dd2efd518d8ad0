import type { AnswerPart, Message, ModelCall, ToolResultPart } from "../../../calls/index.js";
import { Fields, invalid, unsupported } from "../../shared/fields.js";
import { asExtras, type Json } from "../extras.js";
import { asNative, OutputItems } from "../items/output-items.js";
import { contentList, decodeContent, decodeText } from "./content-parts.js";

/** Items that callers make and that have no neutral form; all others without one are a model's. */
const callerItems: ReadonlySet<unknown> = new Set([
  "computer_call_output",
  "local_shell_call_output",
  "shell_call_output",
  "apply_patch_call_output",
  "tool_search_output",
  "mcp_approval_response",
  "item_reference",
  "additional_tools",
  "configuration_update",
  "compaction_trigger",
]);
const resultTypes: ReadonlySet<unknown> = new Set(["function_call_output", "custom_tool_call_output"]);

/** `instructions` and `input` in order: the first is a system message that says where it stood. Items of a model that follow each other are one turn. */
export function decodeInput(fields: Fields): ModelCall["messages"] {
  const messages = new InputMessages();
  const instructions = fields.optionalString("instructions");
  if (instructions !== undefined)
    messages.add({ role: "system", content: [{ type: "text", text: instructions }], ...asExtras({ instructions: true }) });
  const input = fields.raw("input");
  if (typeof input === "string") messages.add({ role: "user", content: [{ type: "text", text: input }] });
  else if (Array.isArray(input)) input.forEach((item, i) => messages.push(new Fields(item, `input[${i}]`), item as Json));
  else if (input !== undefined && input !== null) throw invalid("input", "must be a string or a list of items");
  return messages.end();
}

class InputMessages {
  readonly #messages: Message[] = [];
  #turn: OutputItems | null = null;
  #results: ToolResultPart[] = [];

  add(message: Message): void {
    this.#close();
    this.#messages.push(message);
  }

  push(fields: Fields, item: Json): void {
    const type = fields.optionalString("type") ?? (fields.raw("role") === undefined ? "item_reference" : "message");
    if (type === "message") this.#message(fields, item);
    else if (resultTypes.has(type)) this.#result(fields, type);
    else if (callerItems.has(type)) this.add({ role: "user", content: [asNative(item)] });
    else {
      checkItem(fields, type);
      this.#model(item);
    }
  }

  end(): Message[] {
    this.#close();
    return this.#messages;
  }

  #message(fields: Fields, item: Json): void {
    const role = fields.string("role");
    switch (role) {
      case "system":
      case "developer": {
        const content = decodeText(fields);
        this.add({ role, content, ...asExtras(fields.rest()) });
        return;
      }
      case "user": {
        const content = decodeContent(fields, "content");
        this.add({ role, content, ...asExtras(fields.rest()) });
        return;
      }
      case "assistant":
        checkSpoken(fields);
        this.#model(item);
        return;
      default:
        throw invalid(fields.path("role"), 'must be "system", "developer", "user" or "assistant"');
    }
  }

  #model(item: Json): void {
    if (this.#results.length > 0) this.#close();
    this.#turn ??= new OutputItems(String);
    this.#turn.push(item);
  }

  #result(fields: Fields, type: string): void {
    if (this.#turn !== null) this.#close();
    const callId = fields.string("call_id");
    const content = decodeContent(fields, "output");
    fields.raw("type");
    const own = { ...fields.rest(), type: type === "custom_tool_call_output" ? type : undefined };
    this.#results.push({ type: "tool-result", callId, content, ...asExtras(own) });
  }

  /** What was begun is whole: a turn of the model, or the results that answer it. */
  #close(): void {
    const content: readonly AnswerPart[] = this.#turn?.parts ?? [];
    if (content.length > 0) this.#messages.push({ role: "assistant", content });
    if (this.#results.length > 0) this.#messages.push({ role: "tool", content: this.#results });
    this.#turn = null;
    this.#results = [];
  }
}

/** That an item of a model, handed back by a caller, has what it is read for. */
function checkItem(fields: Fields, type: string): void {
  switch (type) {
    case "function_call":
      fields.string("arguments");
      fields.string("name");
      fields.string("call_id");
      return;
    case "custom_tool_call":
      fields.string("input");
      fields.string("name");
      fields.string("call_id");
      return;
    case "reasoning":
      fields.optionalList("summary");
      fields.optionalList("content");
      fields.optionalString("encrypted_content");
      fields.optionalString("id");
  }
}

function checkSpoken(fields: Fields): void {
  contentList(fields, "content").forEach((value, i) => {
    if (typeof value === "string") return;
    const part = new Fields(value, `${fields.path("content")}[${i}]`);
    const type = part.string("type");
    if (type === "refusal") part.string("refusal");
    else if (type === "output_text" || type === "input_text" || type === "text") part.string("text");
    else throw unsupported(part.path("type"), `names "${type.slice(0, 40)}", which a message of the assistant does not hold`);
  });
}
