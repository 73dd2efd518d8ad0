import { GatewayError } from "../errors/index.js";
import type { MediaPart, NativePart, ReasoningPart, RefusalPart, TextPart, ToolCallPart } from "./model-call.js";
import type { FinishReason, ModelEvent } from "./model-event.js";
import type { Extras } from "./protocol.js";
import type { Usage } from "./usage.js";

export type AnswerPart = TextPart | ReasoningPart | RefusalPart | ToolCallPart | MediaPart | NativePart;

export interface Candidate {
  readonly index: number;
  readonly content: readonly AnswerPart[];
  readonly finishReason: FinishReason;
  /** The vendor's own word for the reason, when it has no exact neutral one. */
  readonly rawFinishReason?: string | undefined;
  /** Which of the caller's stop sequences ended it, where the vendor says. */
  readonly stopSequence?: string | undefined;
  readonly extras?: Extras | undefined;
}

/** One whole model answer. */
export interface ModelAnswer {
  readonly id: string;
  readonly model: string;
  readonly createdAtMs: number;
  readonly candidates: readonly Candidate[];
  readonly usage: Usage;
  readonly extras?: Extras | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Collects a stream of events into one answer; the only way a whole answer is made of events.
 * Incremental: `push` each event, then `answer()`; usage and text so far may be read at any time, also after a failure.
 * Tool calls that were begun and not ended are left out of the answer: a partial call is never handed on as whole.
 */
export class Fold {
  #start: Extract<ModelEvent, { type: "start" }> | null = null;
  #usage: Usage = {};
  #usageExtras: Extras | undefined;
  readonly #candidates = new Map<
    number,
    { parts: Map<number, Mutable<AnswerPart>>; open: Set<number>; finish: Extract<ModelEvent, { type: "finish" }> | null }
  >();

  get usage(): Usage {
    return this.#usage;
  }
  /** Visible text of the first candidate so far. */
  get text(): string {
    const parts = this.#candidates.get(0)?.parts.values() ?? [];
    let text = "";
    for (const part of parts) if (part.type === "text") text += part.text;
    return text;
  }

  push(event: ModelEvent): void {
    switch (event.type) {
      case "start":
        this.#start ??= event;
        return;
      case "usage":
        this.#usage = event.usage;
        this.#usageExtras = event.extras ?? this.#usageExtras;
        return;
      case "extra":
        return;
      case "finish":
        this.#candidate(event.index).finish = event;
        return;
      default:
        this.#pushBlock(event);
    }
  }

  /** Errors: `upstream_interrupted` when the stream had no start or a candidate never finished. */
  answer(): ModelAnswer {
    const start = this.#start;
    if (start === null) throw new GatewayError("upstream_interrupted", "The model's answer ended before it began.");
    const candidates: Candidate[] = [];
    for (const [index, candidate] of [...this.#candidates].sort(([a], [b]) => a - b)) {
      const finish = candidate.finish;
      if (finish === null) throw new GatewayError("upstream_interrupted", "The model's answer broke off before it was complete.");
      const content = [...candidate.parts].sort(([a], [b]) => a - b).filter(([block]) => !candidate.open.has(block));
      candidates.push({
        index,
        content: content.map(([, part]) => part),
        finishReason: finish.reason,
        ...(finish.raw === undefined ? {} : { rawFinishReason: finish.raw }),
        ...(finish.stopSequence === undefined ? {} : { stopSequence: finish.stopSequence }),
        ...(finish.extras === undefined ? {} : { extras: finish.extras }),
      });
    }
    const extras = mergeExtras(start.extras, this.#usageExtras);
    return {
      id: start.id,
      model: start.model,
      createdAtMs: start.createdAtMs,
      candidates,
      usage: this.#usage,
      ...(extras === undefined ? {} : { extras }),
    };
  }

  #candidate(index: number) {
    let candidate = this.#candidates.get(index);
    if (candidate === undefined) this.#candidates.set(index, (candidate = { parts: new Map(), open: new Set(), finish: null }));
    return candidate;
  }

  #pushBlock(event: Exclude<ModelEvent, { type: "start" | "usage" | "extra" | "finish" }>): void {
    const candidate = this.#candidate(event.index);
    const part = candidate.parts.get(event.block);
    switch (event.type) {
      case "text-start":
        candidate.parts.set(event.block, { type: "text", text: "", extras: event.extras });
        return;
      case "reasoning-start":
        candidate.parts.set(event.block, { type: "reasoning", text: "", itemId: event.itemId, extras: event.extras });
        return;
      case "refusal-start":
        candidate.parts.set(event.block, { type: "refusal", text: "", ...(event.extras === undefined ? {} : { extras: event.extras }) });
        return;
      case "tool-call-start":
        candidate.parts.set(event.block, {
          type: "tool-call",
          id: event.id,
          name: event.name,
          arguments: "",
          ...(event.input === undefined ? {} : { input: event.input }),
          extras: event.extras,
        });
        candidate.open.add(event.block);
        return;
      case "text-delta":
      case "reasoning-delta":
      case "refusal-delta":
        if (part === undefined || !("text" in part)) return;
        part.text += event.text;
        if (event.logprobs !== undefined && part.type === "text") part.logprobs = [...(part.logprobs ?? []), ...event.logprobs];
        return;
      case "citation":
        if (part?.type === "text") part.citations = [...(part.citations ?? []), event.citation];
        return;
      case "native":
        candidate.parts.set(event.block, { type: "native", protocol: event.protocol, item: event.item });
        return;
      case "tool-call-delta":
        if (part?.type === "tool-call") part.arguments += event.text;
        return;
      case "media":
        candidate.parts.set(event.block, {
          type: "media",
          mediaType: event.mediaType,
          source: { kind: "base64", data: event.data },
          extras: event.extras,
        });
        return;
      case "text-end":
      case "reasoning-end":
      case "refusal-end":
      case "tool-call-end":
        candidate.open.delete(event.block);
        if (part !== undefined) endPart(part, event);
        return;
    }
  }
}

/** What is known of a part only at its end. */
function endPart(
  part: Mutable<AnswerPart>,
  event: Extract<ModelEvent, { type: "text-end" | "reasoning-end" | "refusal-end" | "tool-call-end" }>,
): void {
  if (part.type === "native" || part.type === "media" || `${part.type}-end` !== event.type) return;
  if (event.extras !== undefined) part.extras = mergeExtras(part.extras, event.extras);
  if (part.type !== "refusal" && event.type !== "refusal-end" && event.opaque !== undefined) part.opaque = event.opaque;
  if (event.type !== "reasoning-end" || part.type !== "reasoning") return;
  if (event.redacted !== undefined) part.redacted = event.redacted;
  if (event.itemId !== undefined) part.itemId = event.itemId;
}

function mergeExtras(a: Extras | undefined, b: Extras | undefined): Extras | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const merged: Mutable<Extras> = { ...a };
  for (const [protocol, fields] of Object.entries(b)) merged[protocol as keyof Extras] = { ...merged[protocol as keyof Extras], ...fields };
  return merged;
}

/** Folds a whole stream. Errors: whatever the stream throws; `upstream_interrupted` when it ended early. */
export async function fold(events: AsyncIterable<ModelEvent>): Promise<ModelAnswer> {
  const folding = new Fold();
  for await (const event of events) folding.push(event);
  return folding.answer();
}

/** An answer as the stream it would have been: the inverse of `fold`. */
export function* unfold(answer: ModelAnswer): Generator<ModelEvent> {
  yield { type: "start", id: answer.id, model: answer.model, createdAtMs: answer.createdAtMs, extras: answer.extras };
  for (const candidate of answer.candidates) {
    let block = 0;
    for (const part of candidate.content) yield* unfoldPart(part, candidate.index, block++);
    yield {
      type: "finish",
      index: candidate.index,
      reason: candidate.finishReason,
      raw: candidate.rawFinishReason,
      stopSequence: candidate.stopSequence,
      extras: candidate.extras,
    };
  }
  yield { type: "usage", usage: answer.usage };
}

function* unfoldPart(part: AnswerPart, index: number, block: number): Generator<ModelEvent> {
  switch (part.type) {
    case "text":
      yield { type: "text-start", index, block, extras: part.extras };
      if (part.text !== "" || part.logprobs !== undefined)
        yield { type: "text-delta", index, block, text: part.text, logprobs: part.logprobs };
      for (const citation of part.citations ?? []) yield { type: "citation", index, block, citation };
      yield { type: "text-end", index, block, opaque: part.opaque };
      return;
    case "reasoning":
      yield { type: "reasoning-start", index, block, itemId: part.itemId, extras: part.extras };
      if (part.text !== "") yield { type: "reasoning-delta", index, block, text: part.text };
      yield { type: "reasoning-end", index, block, opaque: part.opaque, redacted: part.redacted, itemId: part.itemId };
      return;
    case "refusal":
      yield { type: "refusal-start", index, block, extras: part.extras };
      if (part.text !== "") yield { type: "refusal-delta", index, block, text: part.text };
      yield { type: "refusal-end", index, block };
      return;
    case "tool-call":
      yield { type: "tool-call-start", index, block, id: part.id, name: part.name, input: part.input, extras: part.extras };
      if (part.arguments !== "") yield { type: "tool-call-delta", index, block, text: part.arguments };
      yield { type: "tool-call-end", index, block, opaque: part.opaque };
      return;
    case "native":
      yield { type: "native", index, block, protocol: part.protocol, item: part.item };
      return;
    case "media":
      if (part.source.kind === "base64")
        yield { type: "media", index, block, mediaType: part.mediaType, data: part.source.data, extras: part.extras };
  }
}
