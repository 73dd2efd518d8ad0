import type { JsonObject, ModelEvent, TokenLogprob } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { decodeFinish } from "../answer/finish-reason.js";
import { decodeLogprobs } from "../answer/logprobs.js";
import { asExtras, said } from "../extras.js";
import { camelKeys } from "../proto-json.js";
import { signatureOf } from "../signature.js";
import { CallParts } from "./call-parts.js";
import { Grounding } from "./grounding.js";

type Json = Record<string, unknown>;
type Spoken = "text" | "reasoning";
type Extras = ReturnType<typeof asExtras>;

export interface CandidateContext {
  readonly answerId: string;
  readonly emit: (event: ModelEvent) => void;
  /** All of the answer comes at once: citations of any of its texts can still be told. */
  readonly whole: boolean;
}

/** Fields of a candidate that have a neutral form, or none that lasts. */
const known = new Set(["index", "content", "finishReason", "logprobsResult", "groundingMetadata", "citationMetadata"]);

/** One candidate of an answer: turns its parts into blocks that obey the grammar of `ModelEvent`. */
export class CandidateParts {
  /** Google's word for its end, the last that came: some models say one with every chunk. */
  #word: string | undefined;
  readonly #index: number;
  readonly #context: CandidateContext;
  readonly #calls: CallParts;
  readonly #grounding: Grounding;
  #blocks = 0;
  #open: { readonly kind: Spoken; readonly block: number } | null = null;
  #logprobs: readonly TokenLogprob[] = [];
  #own: Json = {};

  constructor(index: number, context: CandidateContext) {
    this.#index = index;
    this.#context = context;
    const nextBlock = () => this.#blocks++;
    this.#calls = new CallParts(index, { answerId: context.answerId, emit: context.emit, nextBlock });
    this.#grounding = new Grounding(index, { emit: context.emit, whole: context.whole });
  }

  /** It has said why it ended. */
  get ended(): boolean {
    return this.#word !== undefined;
  }

  /** `args` gives the JSON text of a part's arguments by its place. */
  push(candidate: Json, args: (part: number) => string | undefined): void {
    const content = camelKeys(candidate["content"]);
    this.#logprobs = [...this.#logprobs, ...decodeLogprobs(camelKeys(candidate["logprobsResult"]))];
    this.#grounding.push(candidate);
    const parts = isObject(content) && Array.isArray(content["parts"]) ? (content["parts"] as unknown[]) : [];
    parts.forEach((part, i) => {
      const given = camelKeys(part);
      if (isObject(given)) this.#part(given, args(i));
    });
    this.#own = {
      ...this.#own,
      ...Object.fromEntries(Object.entries(candidate).filter(([key, value]) => !known.has(key) && value !== null)),
    };
    if (typeof candidate["finishReason"] === "string" && candidate["finishReason"] !== "") this.#word = candidate["finishReason"];
  }

  /** No more will come. */
  finish(): void {
    const { reason, raw } = decodeFinish(this.#word, this.#calls.any);
    // A call that is cut off is never handed on as whole.
    this.#calls.close(reason === "stop" || reason === "tool-calls");
    if (this.#open?.kind === "text") this.#grounding.tell(this.#open.block, true);
    if (!this.#grounding.done) this.#grounding.tellRest(this.#grounding.latest ?? this.#textBlock());
    this.#endOpen(undefined);
    const own = said({ ...this.#own, ...this.#grounding.own(), logprobsResult: this.#untoldLogprobs() });
    this.#context.emit({ type: "finish", index: this.#index, reason, ...(raw === undefined ? {} : { raw }), ...asExtras(own) });
  }

  #part(part: Json, args: string | undefined): void {
    const { thought, thoughtSignature, text, functionCall, inlineData, ...own } = part;
    const signature = signatureOf(thoughtSignature);
    this.#grounding.nextPart();
    if (isObject(functionCall)) {
      this.#endOpen(undefined);
      this.#calls.push(camelKeys(functionCall) as Json, { signature, args, own });
    } else if (typeof text === "string" || (thought === true && signature !== undefined))
      this.#say(thought === true ? "reasoning" : "text", { text: typeof text === "string" ? text : "", signature, own });
    else if (isObject(inlineData) && thought !== true)
      this.#media(camelKeys(inlineData) as Json, said({ ...own, thoughtSignature: signature }));
    else if (Object.keys(part).length > 0) {
      this.#endOpen(undefined);
      this.#context.emit({ type: "native", index: this.#index, block: this.#blocks++, protocol: "google-genai", item: part as JsonObject });
    }
  }

  /** Texts of one kind that follow each other are one, until one that is signed ends it. An empty one that is not signed says nothing. */
  #say(kind: Spoken, part: { readonly text: string; readonly signature: string | undefined; readonly own: Json }): void {
    const extras = asExtras(part.own);
    const isOwn = extras.extras !== undefined;
    if (part.text === "" && part.signature === undefined && !isOwn) return;
    if (isOwn) this.#endOpen(undefined);
    const open = this.#open?.kind === kind ? this.#open : this.#begin(kind, extras);
    if (part.text !== "") {
      const logprobs = kind === "text" && this.#logprobs.length > 0 ? { logprobs: this.#logprobs } : {};
      if (kind === "text") this.#logprobs = [];
      this.#context.emit({ type: `${kind}-delta`, index: this.#index, block: open.block, text: part.text, ...logprobs });
      if (kind === "text") this.#grounding.text(open.block, part.text);
    }
    if (part.signature !== undefined || isOwn) this.#endOpen(part.signature);
  }

  #media({ mimeType, data, displayName }: Json, own: Json | undefined): void {
    this.#endOpen(undefined);
    this.#context.emit({
      type: "media",
      index: this.#index,
      block: this.#blocks++,
      mediaType: typeof mimeType === "string" ? mimeType : "application/octet-stream",
      data: typeof data === "string" ? data : "",
      ...asExtras({ ...own, inlineData: said({ displayName }) }),
    });
  }

  #begin(kind: Spoken, extras: Extras): { readonly kind: Spoken; readonly block: number } {
    this.#endOpen(undefined);
    this.#open = { kind, block: this.#blocks++ };
    this.#context.emit({ type: `${kind}-start`, index: this.#index, block: this.#open.block, ...extras });
    return this.#open;
  }
  #textBlock(): number {
    return (this.#open?.kind === "text" ? this.#open : this.#begin("text", {})).block;
  }
  #endOpen(signature: string | undefined): void {
    const open = this.#open;
    if (open === null) return;
    if (open.kind === "text") this.#grounding.tell(open.block, false);
    this.#open = null;
    const opaque = signature === undefined ? {} : { opaque: signature };
    this.#context.emit({ type: `${open.kind}-end`, index: this.#index, block: open.block, ...opaque });
  }

  /** Tokens that came with no text, of a call or a thought. */
  #untoldLogprobs(): unknown {
    return this.#logprobs.length === 0
      ? undefined
      : { chosenCandidates: this.#logprobs.map(({ token, logprob }) => ({ token, logProbability: logprob })) };
  }
}
