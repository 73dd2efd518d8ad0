import type { ModelEvent, ToolCallPart, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { jsonText } from "../../shared/raw-json.js";
import { encodeFrames, type FrameEncoder } from "../../shared/answers/encode-frames.js";
import { encodeCitations, type PlacedCitation } from "../answer/citations.js";
import { groundingFields, headOf, placedBehind } from "../answer/encode-answer.js";
import { brokenCall, encodePart, isBroken, signed } from "../answer/encode-parts.js";
import { encodeFinish } from "../answer/finish-reason.js";
import { encodeLogprobs } from "../answer/logprobs.js";
import { encodeUsage } from "../answer/usage.js";
import { errorFrame } from "../encode-error.js";
import { googleExtras } from "../extras.js";

type Json = Readonly<Record<string, unknown>>;
type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;
type BlockEvent = Exclude<ModelEvent, { type: "start" | "usage" | "extra" | "finish" }>;

/**
 * `Codec.encodeStream` of Google's protocol: a body for each piece, and a last one with why each candidate ended, what it rests on, and the usage. A function call is one
 * piece, when it is whole. There is no terminator: a stream that failed has no reasons.
 */
export function encodeStream(
  events: AsyncIterable<ModelEvent>,
  o: { readonly includeUsage: boolean; readonly onError: (error: GatewayError) => void },
): AsyncGenerator<Uint8Array> {
  return encodeFrames(events, new BodyEncoder(o.includeUsage), { onError: o.onError, errorFrame });
}

interface CandidateState {
  readonly index: number;
  /** Its visible text so far, in which citations have their places. */
  text: string;
  /** Where each text block begins in it. */
  readonly starts: Map<number, number>;
  readonly citations: PlacedCitation[];
  /** How many of them were told. */
  cited: number;
  /** Fields of a block that stand with its first piece. */
  readonly own: Map<number, Json>;
  readonly calls: Map<number, ToolCallPart>;
  broken: ToolCallPart | null;
  /** Something was told. */
  told: boolean;
  finish: Of<"finish"> | null;
}

class BodyEncoder implements FrameEncoder {
  readonly #includeUsage: boolean;
  readonly #candidates = new Map<number, CandidateState>();
  #head: Json | null = null;
  /** Fields of the answer, told once. */
  #own: Json = {};
  #usage: Usage = {};
  #usageOwn: unknown;

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage;
  }

  encode(event: ModelEvent): string {
    switch (event.type) {
      case "start": {
        const { usageMetadata, ...own } = googleExtras(event);
        this.#usageOwn = usageMetadata;
        this.#own = own;
        this.#head ??= headOf(event);
        return "";
      }
      case "usage":
        this.#usage = event.usage;
        this.#usageOwn = googleExtras(event)["usageMetadata"] ?? this.#usageOwn;
        return "";
      case "extra":
        return "";
      case "finish":
        this.#candidate(event.index).finish = event;
        return "";
      default:
        return this.#piece(event, this.#candidate(event.index));
    }
  }

  /** What ends a stream that came to its end. Errors: `upstream_interrupted` when it did not. */
  end(): string {
    const states = [...this.#candidates.values()];
    if (this.#head === null || states.length === 0 || states.some((candidate) => candidate.finish === null))
      throw new GatewayError("upstream_interrupted", "The model's answer broke off before it was complete.");
    const [first] = states;
    const feedback = first?.finish === null || first === undefined || first.told ? undefined : googleExtras(first.finish)["promptFeedback"];
    const usage = this.#includeUsage ? encodeUsage(this.#usage, this.#usageOwn) : null;
    const said = feedback === undefined ? { candidates: states.map(endOf) } : { promptFeedback: feedback };
    return this.#frame({ ...said, ...(usage === null ? {} : { usageMetadata: usage }) });
  }

  #candidate(index: number): CandidateState {
    if (this.#head === null) throw new GatewayError("upstream_interrupted", "The model's answer has no beginning.");
    let state = this.#candidates.get(index);
    if (state === undefined) {
      state = {
        index,
        text: "",
        starts: new Map(),
        citations: [],
        cited: 0,
        own: new Map(),
        calls: new Map(),
        broken: null,
        told: false,
        finish: null,
      };
      this.#candidates.set(index, state);
    }
    return state;
  }

  #piece(event: BlockEvent, candidate: CandidateState): string {
    const parts = partsOf(event, candidate);
    const rests = event.type === "text-end" && candidate.citations.length > candidate.cited;
    if (parts.length === 0 && !rests) return "";
    candidate.told = true;
    const tokens = event.type === "text-delta" ? encodeLogprobs(event.logprobs ?? []) : undefined;
    const content = { parts: parts.length === 0 ? [{ text: "" }] : parts, role: "model" };
    const own = { ...(tokens === undefined ? {} : { logprobsResult: tokens }), ...(rests ? groundingNow(candidate) : {}) };
    return this.#frame({ candidates: [{ content, index: candidate.index, ...own }] });
  }

  #frame(body: Json): string {
    const own = this.#own;
    this.#own = {};
    // Arguments stand as their model wrote them, over several lines too: white space in JSON, but the end of a line of SSE.
    return `data: ${jsonText({ ...own, ...body, ...this.#head }).replace(/[\r\n]+/g, " ")}\n\n`;
  }
}

/** What the text rests on so far: said when it ends, because who reads the stream cannot come back to it. */
function groundingNow(candidate: CandidateState): Json {
  candidate.cited = candidate.citations.length;
  return encodeCitations(candidate.citations, candidate.text);
}

/** The parts that an event adds. What is signed after its text was told has the signature on an empty part behind it, as Google sends it itself. */
function partsOf(event: BlockEvent, candidate: CandidateState): Json[] {
  switch (event.type) {
    case "text-start":
      candidate.starts.set(event.block, candidate.text.length);
      candidate.own.set(event.block, googleExtras(event));
      return [];
    case "reasoning-start":
      candidate.own.set(event.block, googleExtras(event));
      return [];
    case "text-delta":
      candidate.text += event.text;
      return event.text === "" && event.logprobs === undefined ? [] : [{ ...takeOwn(event.block, candidate), text: event.text }];
    case "refusal-delta":
      return event.text === "" ? [] : [{ text: event.text }];
    case "reasoning-delta":
      return event.text === "" ? [] : [{ ...takeOwn(event.block, candidate), text: event.text, thought: true }];
    case "text-end":
      return event.opaque === undefined ? [] : [{ ...takeOwn(event.block, candidate), text: "", ...signed(event.opaque) }];
    case "reasoning-end":
      return event.opaque === undefined ? [] : [{ ...takeOwn(event.block, candidate), text: "", thought: true, ...signed(event.opaque) }];
    case "citation":
      candidate.citations.push(placedBehind(event.citation, candidate.starts.get(event.block) ?? 0));
      return [];
    case "tool-call-start":
    case "tool-call-delta":
    case "tool-call-end":
      return callParts(event, candidate);
    case "media": {
      const { mediaType, data, extras } = event;
      return encodePart({
        type: "media",
        mediaType,
        source: { kind: "base64", data },
        ...(extras === undefined ? {} : { extras }),
      }) as Json[];
    }
    case "native":
      return encodePart({ type: "native", protocol: event.protocol, item: event.item }) as Json[];
    case "refusal-start":
    case "refusal-end":
      return [];
  }
}

function takeOwn(block: number, candidate: CandidateState): Json {
  const own = candidate.own.get(block) ?? {};
  candidate.own.delete(block);
  return own;
}

function callParts(event: Of<"tool-call-start" | "tool-call-delta" | "tool-call-end">, candidate: CandidateState): Json[] {
  if (event.type === "tool-call-start") {
    const { id, name, extras } = event;
    candidate.calls.set(event.block, { type: "tool-call", id, name, arguments: "", ...(extras === undefined ? {} : { extras }) });
    return [];
  }
  const call = candidate.calls.get(event.block);
  if (call === undefined) return [];
  if (event.type === "tool-call-delta") {
    candidate.calls.set(event.block, { ...call, arguments: call.arguments + event.text });
    return [];
  }
  candidate.calls.delete(event.block);
  if (isBroken(call)) {
    candidate.broken ??= call;
    return [];
  }
  return encodePart(event.opaque === undefined ? call : { ...call, opaque: event.opaque }) as Json[];
}

function endOf(candidate: CandidateState): Json {
  const finish = candidate.finish as Of<"finish">;
  const { groundingMetadata, promptFeedback: _feedback, ...own } = googleExtras(finish);
  const ended = candidate.broken === null ? { finishReason: encodeFinish(finish.reason, finish.raw) } : brokenCall(candidate.broken);
  return {
    ...own,
    content: { parts: [{ text: "" }], role: "model" },
    ...ended,
    index: candidate.index,
    ...groundingFields(groundingMetadata, candidate.citations, candidate.text),
  };
}
