import type { ModelEvent, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import { dataUrl } from "../../shared/data-url.js";
import { encodeFrames, type FrameEncoder } from "../../shared/answers/encode-frames.js";
import { encodeCitation } from "../answer/citations.js";
import { encodeFinish } from "../answer/finish-reason.js";
import { encodeLogprobs } from "../answer/logprobs.js";
import { encodeUsage, tierWord } from "../answer/usage.js";
import { errorFrame } from "../encode-error.js";
import { chatExtras } from "../extras.js";

type Json = Record<string, unknown>;
type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;
type TextEvent = Of<"text-delta" | "reasoning-delta" | "refusal-delta">;

const doneFrame = "data: [DONE]\n\n";

/** `Codec.encodeStream` of Chat Completions: the role first, then deltas, one finish reason a candidate, the usage if it was asked for, `[DONE]`. */
export function encodeStream(
  events: AsyncIterable<ModelEvent>,
  o: { readonly includeUsage: boolean; readonly onError: (error: GatewayError) => void },
): AsyncGenerator<Uint8Array> {
  return encodeFrames(events, new ChunkEncoder(o.includeUsage), { onError: o.onError, errorFrame });
}

type CallKind = "function" | "custom" | "function_call";

interface CandidateState {
  /** Blocks of tool calls by their place among the calls, which is the protocol's `index`; and what kind of call each is. */
  readonly calls: Map<number, { readonly place: number; readonly type: CallKind }>;
  /** The block of reasoning that is open: its field, and whether that was said to the caller. */
  reasoning: { readonly field: string; readonly details: unknown; told: boolean };
  refused: boolean;
  /** Visible text before the open block, and in it. */
  readonly text: { base: number; length: number };
  finished: boolean;
}

const untold = { field: "reasoning_content", details: undefined, told: true };

/** Frames are put together as text around a head that is serialised once: of a delta only its own text is escaped. */
class ChunkEncoder implements FrameEncoder {
  readonly #includeUsage: boolean;
  readonly #tail: string;
  readonly #candidates = new Map<number, CandidateState>();
  #head = "";
  #usage: Usage = {};
  #usageOwn: unknown;
  #tierTold = false;

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage;
    // By the protocol a stream that will end with its usage says so in every chunk before.
    this.#tail = includeUsage ? '}],"usage":null}\n\n' : "}]}\n\n";
  }

  encode(event: ModelEvent): string {
    switch (event.type) {
      case "start":
        return this.#start(event);
      case "usage":
        this.#usage = event.usage;
        this.#usageOwn = chatExtras(event)["usage"] ?? this.#usageOwn;
        return "";
      case "extra":
        return "";
      default: {
        const known = this.#candidates.get(event.index);
        return known === undefined ? this.#open(event.index) + this.#block(event) : this.#block(event);
      }
    }
  }

  /** What ends a stream that came to its end. Errors: `upstream_interrupted` when it did not. */
  end(): string {
    if (this.#head === "" || [...this.#candidates.values()].some((candidate) => !candidate.finished))
      throw new GatewayError("upstream_interrupted", "The model's answer broke off before it was complete.");
    if (!this.#includeUsage) return doneFrame;
    const usage = JSON.stringify(encodeUsage(this.#usage, this.#usageOwn));
    const tier = this.#tierTold ? undefined : tierWord(this.#usage.serviceTier);
    return `${this.#head}],"usage":${usage}${tier === undefined ? "" : `,"service_tier":"${tier}"`}}\n\n${doneFrame}`;
  }

  #start(event: Of<"start">): string {
    if (this.#head !== "") return "";
    const { usage, ...own } = chatExtras(event);
    this.#usageOwn = usage;
    this.#tierTold = "service_tier" in own;
    const head = { id: event.id, object: "chat.completion.chunk", created: Math.floor(event.createdAtMs / 1000), model: event.model };
    const { choices: _choices, ...merged }: Json = { ...head, ...own, ...head };
    this.#head = `data: ${JSON.stringify(merged).slice(0, -1)},"choices":[`;
    return this.#open(0);
  }

  #open(index: number): string {
    if (this.#head === "") throw new GatewayError("upstream_interrupted", "The model's answer has no beginning.");
    this.#candidates.set(index, { calls: new Map(), reasoning: untold, refused: false, text: { base: 0, length: 0 }, finished: false });
    return this.#chunk(index, '{"role":"assistant","content":"","refusal":null}');
  }

  #block(event: Exclude<ModelEvent, { type: "start" | "usage" | "extra" }>): string {
    const candidate = this.#candidates.get(event.index) as CandidateState;
    switch (event.type) {
      case "text-start":
        candidate.text.base += candidate.text.length;
        candidate.text.length = 0;
        return "";
      case "text-delta":
        candidate.text.length += event.text.length;
        return this.#text(event, "content");
      case "citation": {
        const annotation = encodeCitation(event.citation, candidate.text);
        return annotation === null ? "" : this.#chunk(event.index, JSON.stringify({ annotations: [annotation] }));
      }
      case "refusal-delta":
        candidate.refused = true;
        return this.#text(event, "refusal");
      case "reasoning-start": {
        const { field, reasoning_details: details } = chatExtras(event);
        // A field that the vendor named is said even when it stays empty: some want it back so.
        candidate.reasoning = { field: field === "reasoning" ? "reasoning" : "reasoning_content", details, told: field === undefined };
        return "";
      }
      case "reasoning-delta":
        candidate.reasoning.told = true;
        return this.#text(event, candidate.reasoning.field);
      case "reasoning-end":
        return this.#endReasoning(event, candidate.reasoning);
      case "tool-call-start":
      case "tool-call-delta":
      case "tool-call-end":
        return this.#call(event, candidate);
      case "media":
        return this.#media(event);
      case "finish":
        return this.#finish(event, candidate);
      case "native":
      case "text-end":
      case "refusal-start":
      case "refusal-end":
        return "";
    }
  }

  #text(event: TextEvent, field: string): string {
    const logprobs = event.logprobs === undefined ? undefined : { content: encodeLogprobs(event.logprobs), refusal: null };
    return this.#chunk(event.index, `{"${field}":${JSON.stringify(event.text)}}`, logprobs);
  }

  /** What is sealed stands with the beginning of a block that was whole, and with the end of one that was streamed. */
  #endReasoning(event: Of<"reasoning-end">, { field, details, told }: CandidateState["reasoning"]): string {
    const sealed = chatExtras(event)["reasoning_details"] ?? details;
    const said = { ...(told ? {} : { [field]: "" }), ...(sealed === undefined ? {} : { reasoning_details: sealed }) };
    return Object.keys(said).length === 0 ? "" : this.#chunk(event.index, JSON.stringify(said));
  }

  #call(event: Of<"tool-call-start" | "tool-call-delta" | "tool-call-end">, candidate: CandidateState): string {
    if (event.type === "tool-call-start") {
      const legacy = chatExtras(event)["type"] === "function_call";
      const type: CallKind = legacy ? "function_call" : event.input === "text" ? "custom" : "function";
      const others = [...candidate.calls.values()].filter((other) => other.type !== "function_call");
      const call = { place: others.length, type };
      candidate.calls.set(event.block, call);
      return this.#chunk(event.index, startOfCall(event, call));
    }
    const call = candidate.calls.get(event.block);
    if (call === undefined) return "";
    if (event.type === "tool-call-delta") return this.#chunk(event.index, moreOfCall(event.text, call));
    const own = chatExtras(event);
    const more = Object.keys(own).length > 0 && call.type !== "function_call";
    return more ? this.#chunk(event.index, JSON.stringify({ tool_calls: [{ ...own, index: call.place }] })) : "";
  }

  #media(event: Of<"media">): string {
    if (event.mediaType.startsWith("image/")) {
      const image = { type: "image_url", image_url: { url: dataUrl(event.mediaType, event.data) } };
      return this.#chunk(event.index, JSON.stringify({ images: [image] }));
    }
    if (!event.mediaType.startsWith("audio/")) return "";
    const data = event.data === "" ? {} : { data: event.data };
    return this.#chunk(event.index, JSON.stringify({ audio: { ...chatExtras(event), ...data } }));
  }

  #finish(event: Of<"finish">, candidate: CandidateState): string {
    candidate.finished = true;
    const { message, logprobs, ...own } = chatExtras(event);
    const kinds = [...candidate.calls.values()].map((call) => call.type);
    const holds = { calls: kinds.length > 0, legacyCall: kinds.includes("function_call"), refusal: candidate.refused };
    const choice = {
      ...own,
      index: event.index,
      delta: isObject(message) ? message : {},
      logprobs: logprobs ?? null,
      finish_reason: encodeFinish(event.reason, holds),
      ...(event.stopSequence === undefined ? {} : { stop_reason: event.stopSequence }),
    };
    return `${this.#head}${JSON.stringify(choice).slice(0, -1)}${this.#tail}`;
  }

  #chunk(index: number, delta: string, logprobs?: unknown): string {
    const said = logprobs === undefined ? "null" : JSON.stringify(logprobs);
    return `${this.#head}{"index":${index},"delta":${delta},"logprobs":${said},"finish_reason":null${this.#tail}`;
  }
}

function startOfCall(event: Of<"tool-call-start">, call: { readonly place: number; readonly type: CallKind }): string {
  const { id, name } = event;
  if (call.type === "function_call") return JSON.stringify({ function_call: { name, arguments: "" } });
  const { type: _type, ...own } = chatExtras(event);
  const head = { ...own, index: call.place, id };
  const said =
    call.type === "custom" ? { type: "custom", custom: { name, input: "" } } : { type: "function", function: { name, arguments: "" } };
  return JSON.stringify({ tool_calls: [{ ...head, ...said }] });
}

function moreOfCall(text: string, call: { readonly place: number; readonly type: CallKind }): string {
  const said = JSON.stringify(text);
  if (call.type === "function_call") return `{"function_call":{"arguments":${said}}}`;
  const of = call.type === "custom" ? `"custom":{"input":${said}}` : `"function":{"arguments":${said}}`;
  return `{"tool_calls":[{"index":${call.place},${of}}]}`;
}
