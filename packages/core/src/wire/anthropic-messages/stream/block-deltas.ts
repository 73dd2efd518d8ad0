import type { AnswerPart, FinishReason, ModelEvent } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { decodeBlock } from "../answer/decode-blocks.js";
import { mayBeCut } from "../answer/finish-reason.js";
import { decodeCitation } from "../citations.js";
import { isJsonObject } from "../tool-input.js";

type Json = Record<string, unknown>;

/** The block that is open: one at a time, by the protocol. */
interface Open {
  readonly index: unknown;
  readonly block: number;
  readonly kind: "text" | "reasoning" | "tool-call" | "whole";
  /** Of a kind that is told whole at its end: what came so far. */
  readonly item: Json;
  opaque: string;
  readonly redacted: boolean;
  /** The JSON text of the input, and that it came whole with the beginning. */
  input: string;
  readonly given: string | undefined;
}

/** The blocks of one stream, as events that obey the grammar of `ModelEvent`. */
export class BlockDeltas {
  anyCall = false;
  readonly #emit: (event: ModelEvent) => void;
  #blocks = 0;
  #open: Open | null = null;
  /** A call that was stopped with an input that is no whole object: what ended the answer says whether it was cut off. */
  #pending: Open | null = null;

  constructor(emit: (event: ModelEvent) => void) {
    this.#emit = emit;
  }

  get isOpen(): boolean {
    return this.#open !== null || this.#pending !== null;
  }

  /** `input` is the JSON text of an input that stands in the block itself. */
  start(index: unknown, block: Json, input: string | undefined): void {
    this.#endOpen();
    // The model went on: what it wrote before is what it meant.
    this.#endPending();
    const part = decodeBlock(block, input);
    const number = this.#blocks++;
    const made = { index, block: number, item: { ...block }, opaque: "", redacted: false, input: "", given: undefined };
    const extras = "extras" in part && part.extras !== undefined ? { extras: part.extras } : {};
    switch (part.type) {
      case "text":
        this.#open = { ...made, kind: "text" };
        this.#emit({ type: "text-start", index: 0, block: number, ...extras });
        if (part.text !== "") this.#emit({ type: "text-delta", index: 0, block: number, text: part.text });
        for (const citation of part.citations ?? []) this.#emit({ type: "citation", index: 0, block: number, citation });
        return;
      case "reasoning":
        this.#open = { ...made, kind: "reasoning", opaque: part.opaque ?? "", redacted: part.redacted === true };
        this.#emit({ type: "reasoning-start", index: 0, block: number, ...extras });
        if (part.text !== "") this.#emit({ type: "reasoning-delta", index: 0, block: number, text: part.text });
        return;
      case "tool-call":
        this.anyCall = true;
        this.#open = { ...made, kind: "tool-call", given: part.arguments.replace(/\s/g, "") === "{}" ? undefined : part.arguments };
        this.#emit({ type: "tool-call-start", index: 0, block: number, id: part.id, name: part.name, ...extras });
        return;
      default:
        this.#open = { ...made, kind: "whole" };
    }
  }

  delta(index: unknown, delta: Json): void {
    const open = this.#open;
    if (open === null || open.index !== index) return;
    const { type, ...said } = delta;
    if (open.kind === "whole") addTo(open, type, said);
    else if (type === "text_delta" && open.kind === "text") this.#say("text-delta", open, said["text"]);
    else if (type === "thinking_delta" && open.kind === "reasoning") this.#say("reasoning-delta", open, said["thinking"]);
    else if (type === "signature_delta" && open.kind === "reasoning") {
      if (typeof said["signature"] === "string") open.opaque = said["signature"];
    } else if (type === "citations_delta" && open.kind === "text") {
      const citation = decodeCitation(said["citation"]);
      if (citation !== null) this.#emit({ type: "citation", index: 0, block: open.block, citation });
    } else if (type === "input_json_delta" && open.kind === "tool-call" && typeof said["partial_json"] === "string") {
      open.input += said["partial_json"];
      this.#say("tool-call-delta", open, said["partial_json"]);
    }
  }

  stop(index: unknown): void {
    if (this.#open?.index === index) this.#endOpen();
  }

  /** No more will come. A call that may have been cut off stays open, and so is handed on by nobody. */
  close(reason: FinishReason): void {
    if (this.#open?.kind === "tool-call") {
      this.#pending = this.#open;
      this.#open = null;
    }
    this.#endOpen();
    if (mayBeCut(reason)) this.#pending = null;
    this.#endPending();
  }

  /** A refusal in the vendor's words. */
  refuse(text: string): void {
    const at = { index: 0, block: this.#blocks++ };
    this.#emit({ type: "refusal-start", ...at });
    this.#emit({ type: "refusal-delta", ...at, text });
    this.#emit({ type: "refusal-end", ...at });
  }

  #say(type: "text-delta" | "reasoning-delta" | "tool-call-delta", { block }: Open, text: unknown): void {
    if (typeof text === "string" && text !== "") this.#emit({ type, index: 0, block, text });
  }

  #endOpen(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const at = { index: 0, block: open.block };
    if (open.kind === "text") this.#emit({ type: "text-end", ...at });
    else if (open.kind === "reasoning") {
      const opaque = open.opaque === "" ? {} : { opaque: open.opaque };
      this.#emit({ type: "reasoning-end", ...at, ...opaque, ...(open.redacted ? { redacted: true } : {}) });
    } else if (open.kind === "whole") this.#emitWhole(open);
    else if (open.given !== undefined || isJsonObject(open.input)) this.#endCall(open);
    else this.#pending = open;
  }

  #endPending(): void {
    if (this.#pending !== null) this.#endCall(this.#pending);
    this.#pending = null;
  }

  /** A call without input is one with an empty one. */
  #endCall({ block, input, given }: Open): void {
    if (input === "") this.#emit({ type: "tool-call-delta", index: 0, block, text: given ?? "{}" });
    this.#emit({ type: "tool-call-end", index: 0, block });
  }

  #emitWhole({ block, item, input }: Open): void {
    const whole = input === "" ? item : { ...item, input: inputOf(input) };
    const part = decodeBlock(whole, undefined) as Extract<AnswerPart, { type: "native" | "media" }>;
    if (part.type === "native") this.#emit({ type: "native", index: 0, block, protocol: part.protocol, item: part.item });
    else if (part.source.kind === "base64")
      this.#emit({
        type: "media",
        index: 0,
        block,
        mediaType: part.mediaType,
        data: part.source.data,
        ...(part.extras === undefined ? {} : { extras: part.extras }),
      });
  }
}

/** What is sealed comes at once. */
const sealed = new Set(["signature", "encrypted_content"]);

/** What a delta says of a block that has no neutral form: input in pieces, text behind text, anything else in its place. */
function addTo(open: Open, type: unknown, said: Json): void {
  if (type === "input_json_delta") {
    if (typeof said["partial_json"] === "string") open.input += said["partial_json"];
    return;
  }
  for (const [key, value] of Object.entries(said)) {
    const before = open.item[key];
    open.item[key] = typeof before === "string" && typeof value === "string" && !sealed.has(key) ? before + value : value;
  }
}

function inputOf(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : { INVALID_JSON: text };
  } catch {
    return { INVALID_JSON: text };
  }
}
