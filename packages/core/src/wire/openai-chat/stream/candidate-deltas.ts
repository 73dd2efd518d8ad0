import type { Citation, MediaPart, ModelEvent, TokenLogprob } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { CallIds } from "../../shared/answers/call-ids.js";
import { movedBy, splitAnnotations } from "../answer/citations.js";
import { contentParts, decodeMedia, textOf } from "../answer/decode-answer.js";
import { decodeFinish, mayBeCut, takeStopSequence } from "../answer/finish-reason.js";
import { decodeLogprobs } from "../answer/logprobs.js";
import { asExtras } from "../extras.js";
import { legacyCallId } from "../legacy-call.js";
import { ToolCallDeltas } from "./tool-call-deltas.js";

type Json = Record<string, unknown>;
type Spoken = "text" | "reasoning" | "refusal";

interface Said {
  readonly kind: Spoken;
  readonly text: string;
  readonly logprobs?: readonly TokenLogprob[] | undefined;
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
  /** Probabilities that came while no text was open: they belong to the next one. */
  #earlyLogprobs: unknown[] = [];
  /** Probabilities of a refusal's tokens, which have no neutral place. */
  #refusalLogprobs: unknown[] = [];
  /** Citations that came while no text was open: they belong to the next one. */
  #citations: Citation[] = [];
  /** How much text there was before the open block: citations count from the beginning of all of it. */
  #textBase = 0;
  #textLength = 0;
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
    if (this.#citations.length > 0) this.#begin("text");
    this.#endOpen();
    const message = Object.keys(this.#messageOwn).length === 0 ? undefined : this.#messageOwn;
    const logprobs = ownLogprobs(this.#earlyLogprobs, this.#refusalLogprobs);
    const { stopSequence, own } = takeStopSequence(this.#choiceOwn);
    this.#emit({
      type: "finish",
      index: this.#index,
      reason,
      ...(raw === undefined ? {} : { raw }),
      ...(stopSequence === undefined ? {} : { stopSequence }),
      ...asExtras({ ...own, logprobs, message }),
    });
  }

  #read(delta: Json, logprobs: Json | undefined): void {
    this.#readReasoning(delta);
    const { content, refusal, tool_calls: calls, function_call: legacy, audio, images, annotations } = delta;
    this.#readText(content, Array.isArray(logprobs?.["content"]) ? (logprobs["content"] as unknown[]) : []);
    if (textOf(refusal) !== undefined) this.#say({ kind: "refusal", text: refusal as string });
    if (Array.isArray(logprobs?.["refusal"])) this.#refusalLogprobs.push(...(logprobs["refusal"] as unknown[]));
    if (Array.isArray(annotations) && annotations.length > 0) this.#readAnnotations(annotations);
    if (audio !== undefined || images !== undefined) for (const part of decodeMedia(audio, images)) this.#tellMedia(part);
    if (Array.isArray(calls)) for (const call of calls.filter(isObject)) this.#pushCall(call);
    if (isObject(legacy)) this.#pushCall({ id: legacyCallId, function: legacy }, "function_call");
    this.#messageOwn = withOwn(this.#messageOwn, delta, deltaFields);
  }

  /** Probabilities are of the first text beside them; a token may have none that is visible. */
  #readText(content: unknown, given: readonly unknown[]): void {
    const parts = typeof content === "string" && content !== "" ? [{ type: "text", text: content } as const] : contentParts(content);
    const first = parts.findIndex((part) => part.type === "text");
    const here = first >= 0 || this.#open?.kind === "text";
    if (!here) this.#earlyLogprobs.push(...given);
    const logprobs = here ? decodeLogprobs([...this.#earlyLogprobs.splice(0), ...given]) : [];
    parts.forEach((part, i) =>
      this.#say({ kind: part.type, text: part.text, ...(i === first && logprobs.length > 0 ? { logprobs } : {}) }),
    );
    if (first < 0 && logprobs.length > 0) this.#say({ kind: "text", text: "", logprobs });
  }

  #readAnnotations(annotations: unknown[]): void {
    const { citations, others } = splitAnnotations(annotations);
    if (others !== undefined) this.#messageOwn = withOwn(this.#messageOwn, { annotations: others }, noFields);
    if (this.#open?.kind === "text") this.#tellCitations(this.#open.block, citations);
    else this.#citations.push(...citations);
  }
  #tellCitations(block: number, citations: readonly Citation[]): void {
    for (const citation of citations)
      this.#emit({ type: "citation", index: this.#index, block, citation: movedBy(citation, -this.#textBase) });
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
    if (kind === "text") this.#textLength += text.length;
    if (text === "" && logprobs === undefined) return;
    this.#emit({ type: `${kind}-delta`, index: this.#index, block: open.block, text, ...(logprobs === undefined ? {} : { logprobs }) });
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
    if (kind === "text") {
      this.#textBase = this.#textLength;
      this.#tellCitations(this.#open.block, this.#citations.splice(0));
    }
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
  "annotations",
  "reasoning_content",
  "reasoning",
  "reasoning_details",
]);

/** What belongs to no text, as a choice has it. */
function ownLogprobs(content: unknown[], refusal: unknown[]): Json | undefined {
  if (content.length === 0 && refusal.length === 0) return undefined;
  return { content: content.length === 0 ? null : content, refusal: refusal.length === 0 ? null : refusal };
}

const noFields: ReadonlySet<string> = new Set();

/** What else came (a filter's findings, …) added to what came before: lists grow, other values are replaced, null says nothing. */
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
