import type { MediaPart, ModelEvent } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { CallIds } from "../answer/call-ids.js";
import { contentParts, decodeMedia, textOf } from "../answer/decode-answer.js";
import { decodeFinish, mayBeCut } from "../answer/finish-reason.js";
import { asExtras } from "../extras.js";
import { legacyCallId } from "../legacy-call.js";
import { ToolCallDeltas } from "./tool-call-deltas.js";

type Json = Record<string, unknown>;
type Spoken = "text" | "reasoning" | "refusal";

interface Said {
  readonly kind: Spoken;
  readonly text: string;
  readonly logprobs?: Json | undefined;
  /** The field that reasoning came in. */
  readonly field?: string | undefined;
}

/** One candidate of a stream: turns its deltas into blocks that obey the grammar of `ModelEvent`. */
export class CandidateDeltas {
  finished = false;
  readonly #index: number;
  readonly #emit: (event: ModelEvent) => void;
  readonly #calls: ToolCallDeltas;
  #blocks = 0;
  #open: { readonly kind: Spoken; readonly block: number } | null = null;
  #refused = false;
  /** Text that came while a tool call was open, where none may stand: told behind the calls. */
  #late: Said[] = [];
  /** Sealed reasoning that was not handed on yet. */
  #details: unknown[] = [];
  #logprobs: { content: unknown[] | null; refusal: unknown[] | null } | undefined;
  #choiceOwn: Json = {};
  #messageOwn: Json = {};

  constructor(index: number, answerId: string, emit: (event: ModelEvent) => void) {
    this.#index = index;
    this.#emit = emit;
    this.#calls = new ToolCallDeltas(index, { ids: new CallIds(answerId, index), emit, nextBlock: () => this.#nextBlock() });
  }

  push(choice: Json): void {
    if (this.finished) return;
    const { delta, message, logprobs } = choice;
    this.#choiceOwn = withOwn(this.#choiceOwn, choice, choiceFields);
    this.#read(isObject(delta) ? delta : isObject(message) ? message : {}, isObject(logprobs) ? logprobs : undefined);
    const word = textOf(choice["finish_reason"]);
    if (word !== undefined) this.finish(word);
  }

  /** The candidate's end: by the vendor's word, or without one when the stream ended properly. */
  finish(word: string | undefined): void {
    this.finished = true;
    const calls = word === undefined ? this.#calls.anyWhole : this.#calls.any;
    const { reason, raw } = decodeFinish(word, { calls, legacyCall: this.#calls.legacy, refusal: this.#refused });
    this.#endOpen();
    this.#calls.close(mayBeCut(word, reason));
    for (const said of this.#late) this.#tell(said);
    if (this.#details.length > 0) this.#begin("reasoning");
    this.#endOpen();
    const own = Object.keys(this.#messageOwn).length === 0 ? undefined : this.#messageOwn;
    const extras = asExtras({ ...this.#choiceOwn, logprobs: this.#logprobs, message: own });
    this.#emit({ type: "finish", index: this.#index, reason, ...(raw === undefined ? {} : { raw }), ...extras });
  }

  #read(delta: Json, logprobs: Json | undefined): void {
    if (logprobs !== undefined) this.#keepLogprobs(logprobs);
    this.#readReasoning(delta);
    const { content, refusal, tool_calls: calls, function_call: legacy, audio, images } = delta;
    if (typeof content === "string") {
      if (content !== "") this.#say({ kind: "text", text: content, logprobs });
    } else for (const part of contentParts(content)) this.#say({ kind: part.type, text: part.text, logprobs });
    if (textOf(refusal) !== undefined) this.#say({ kind: "refusal", text: refusal as string, logprobs });
    if (audio !== undefined || images !== undefined) for (const part of decodeMedia(audio, images)) this.#tellMedia(part);
    if (Array.isArray(calls)) for (const call of calls.filter(isObject)) this.#pushCall(call);
    if (isObject(legacy)) this.#pushCall({ id: legacyCallId, function: legacy }, "function_call");
    this.#messageOwn = withOwn(this.#messageOwn, delta, deltaFields);
  }

  #pushCall(call: Json, type?: "function_call"): void {
    // Blocks of text and calls do not interleave; once a call is there, text waits.
    this.#endOpen();
    this.#calls.push(call, type);
  }

  #readReasoning(delta: Json): void {
    const { reasoning_content: content, reasoning: other, reasoning_details: details } = delta;
    const sealed = Array.isArray(details) && details.length > 0;
    if (sealed) this.#details.push(...(details as unknown[]));
    const field = typeof content === "string" ? "reasoning_content" : typeof other === "string" ? "reasoning" : undefined;
    if (field === undefined) {
      if (sealed && this.#open?.kind !== "reasoning" && !this.#calls.begun) this.#begin("reasoning");
      return;
    }
    const text = delta[field] as string;
    // An empty text counts only as the first thing said: some vendors send the field with every delta, some want it back even when it was empty.
    if (text === "" && (this.#blocks > 0 || this.#calls.any)) return;
    this.#say({ kind: "reasoning", text, field });
  }

  #say(said: Said): void {
    if (this.#calls.begun) this.#late.push(said);
    else this.#tell(said);
  }
  #tell({ kind, text, logprobs, field }: Said): void {
    if (kind === "refusal") this.#refused = true;
    const open = this.#open?.kind === kind ? this.#open : this.#begin(kind, asExtras({ field }));
    if (text !== "")
      this.#emit({
        type: `${kind}-delta`,
        index: this.#index,
        block: open.block,
        text,
        ...(logprobs === undefined ? {} : asExtras({ logprobs })),
      });
  }
  #tellMedia({ mediaType, source, extras }: MediaPart): void {
    // A picture by URL has no place in a stream.
    if (source.kind !== "base64") return;
    this.#endOpen();
    this.#emit({
      type: "media",
      index: this.#index,
      block: this.#nextBlock(),
      mediaType,
      data: source.data,
      ...(extras === undefined ? {} : { extras }),
    });
  }

  #begin(kind: Spoken, extras = {}): { readonly kind: Spoken; readonly block: number } {
    this.#endOpen();
    this.#open = { kind, block: this.#nextBlock() };
    this.#emit({ type: `${kind}-start`, index: this.#index, block: this.#open.block, ...extras });
    return this.#open;
  }
  #endOpen(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const details = open.kind === "reasoning" && this.#details.length > 0 ? this.#details : undefined;
    if (details !== undefined) this.#details = [];
    this.#emit({ type: `${open.kind}-end`, index: this.#index, block: open.block, ...asExtras({ reasoning_details: details }) });
  }
  #nextBlock(): number {
    return this.#blocks++;
  }

  #keepLogprobs({ content, refusal }: Json): void {
    this.#logprobs ??= { content: null, refusal: null };
    if (Array.isArray(content)) (this.#logprobs.content ??= []).push(...(content as unknown[]));
    if (Array.isArray(refusal)) (this.#logprobs.refusal ??= []).push(...(refusal as unknown[]));
  }
}

const choiceFields = new Set(["index", "delta", "message", "finish_reason", "logprobs"]);
const deltaFields = new Set([
  "role",
  "index",
  "content",
  "refusal",
  "tool_calls",
  "function_call",
  "audio",
  "images",
  "reasoning_content",
  "reasoning",
  "reasoning_details",
]);

/** What else came (annotations, a filter's findings, …) added to what came before: lists grow, other values are replaced, null says nothing. */
function withOwn(before: Json, given: Json, known: ReadonlySet<string>): Json {
  let own = before;
  for (const key of Object.keys(given)) {
    const value = given[key];
    if (known.has(key) || value === null) continue;
    const list = own[key];
    // In place: the list was parsed for us, and copying it with every chunk would cost its square.
    if (Array.isArray(list) && Array.isArray(value)) for (const element of value) list.push(element);
    else own = { ...own, [key]: value };
  }
  return own;
}
