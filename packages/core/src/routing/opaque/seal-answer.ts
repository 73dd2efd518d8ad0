import type { AnswerPart, ModelAnswer, ModelEvent } from "../../calls/index.js";
import type { CodecTraits } from "../../wire/shared/codec.js";
import { TurnPieces, type KeptCall } from "./kept-turn.js";
import type { Provenance } from "./provenance.js";
import type { Sealer } from "./sealer.js";
import { textMark } from "./text-mark.js";

export interface Sealing {
  readonly sealer: Sealer;
  /** Where the answer is from; asked for only when there is a token. */
  readonly origin: () => Pick<Provenance, "protocol" | "provider" | "model" | "keyPrint" | "prefix">;
  readonly projectId: string;
  /** What the caller's dialect can carry; the rest is given to `keep`. */
  readonly carries: CodecTraits["carries"];
  /** Resolves when it is kept. */
  readonly keep: (calls: readonly KeptCall[]) => Promise<void>;
}

type Ends = Extract<ModelEvent, { type: "text-end" | "reasoning-end" | "tool-call-end" }>;
type Starts = Extract<ModelEvent, { type: "text-start" | "reasoning-start" | "refusal-start" }>;

/**
 * An answer on its way to the caller: each token of the vendor's in an envelope of ours where the caller's dialect has a place for it, and kept otherwise, before the
 * answer's end is handed out. What was there only for its token is not told to a dialect that cannot carry it.
 */
export async function* sealEvents(source: AsyncIterable<ModelEvent>, o: Sealing): AsyncGenerator<ModelEvent> {
  const candidates = new Map<number, CandidateSealer>();
  for await (const event of source) {
    if (!("index" in event)) {
      yield event;
      continue;
    }
    let candidate = candidates.get(event.index);
    if (candidate === undefined) candidates.set(event.index, (candidate = new CandidateSealer(o)));
    if (event.type === "finish") await o.keep(candidate.pieces.keep());
    yield* candidate.pass(event);
  }
}

/** The same for a whole answer. */
export async function sealAnswer(answer: ModelAnswer, o: Sealing): Promise<ModelAnswer> {
  if (!answer.candidates.some(hasTokens)) return answer;
  const kept: KeptCall[] = [];
  const candidates = answer.candidates.map((candidate) => {
    const pieces = new TurnPieces((text) => textMark(text, o.sealer));
    const content = candidate.content.flatMap((part) => sealPart(part, pieces, o));
    kept.push(...pieces.keep());
    return { ...candidate, content };
  });
  await o.keep(kept);
  return { ...answer, candidates };
}

function hasTokens({ content }: ModelAnswer["candidates"][number]): boolean {
  for (const part of content) if ("opaque" in part && part.opaque !== undefined) return true;
  return false;
}

/** Empty: it was there only for what cannot be carried. */
function sealPart(part: AnswerPart, pieces: TurnPieces, o: Sealing): AnswerPart[] {
  if (part.type !== "reasoning" && part.type !== "text" && part.type !== "tool-call") return [part];
  const token = part.opaque === undefined ? null : tokenOf(part, part.opaque, o);
  const opaque = settle(part, { token, pieces, sealing: o });
  if (token === null) return [part];
  if (opaque === undefined && part.type !== "tool-call" && part.text === "") return [];
  return [{ ...part, opaque }];
}

/** Notes a part that is whole; gives the envelope that goes to the caller. */
function settle(
  part: Extract<AnswerPart, { type: "reasoning" | "text" | "tool-call" }>,
  o: { readonly token: Provenance | null; readonly pieces: TurnPieces; readonly sealing: Sealing },
): string | undefined {
  const { token, pieces, sealing } = o;
  const { carries, sealer, projectId } = sealing;
  const carried = part.type === "reasoning" ? carries.reasoning : part.type === "text" ? carries.text : carries.toolCalls;
  const left = carried ? null : token;
  if (part.type === "tool-call") pieces.pushCall(part, left);
  else if (part.type === "reasoning") {
    if (left !== null) pieces.push({ type: "reasoning", text: part.text, token: left });
  } else if (part.text !== "" || left !== null) pieces.push({ type: "text", text: part.text, token: left });
  return carried && token !== null ? sealer.seal(token, projectId) : undefined;
}

function tokenOf(part: Extract<AnswerPart, { type: "reasoning" | "text" | "tool-call" }>, token: string, o: Sealing): Provenance {
  const own = part.type === "reasoning" ? { itemId: part.itemId, redacted: part.redacted, text: textMark(part.text, o.sealer) } : {};
  return { token, ...o.origin(), ...own };
}

/** One candidate of a stream: its open blocks, as far as they have to be known once they end. */
class CandidateSealer {
  readonly pieces: TurnPieces;
  readonly #o: Sealing;
  readonly #texts = new Map<number, { readonly itemId: string | undefined; readonly said: string[] }>();
  readonly #calls = new Map<number, { readonly id: string; readonly name: string; readonly arguments: string[] }>();
  /** A block that may turn out to be there only for its token. */
  #held: Starts | null = null;

  constructor(o: Sealing) {
    this.#o = o;
    this.pieces = new TurnPieces((text) => textMark(text, o.sealer));
  }

  *pass(event: ModelEvent & { readonly index: number }): Generator<ModelEvent> {
    switch (event.type) {
      case "text-start":
      case "reasoning-start":
        this.#texts.set(event.block, { itemId: event.itemId, said: [] });
        this.#held = event;
        return;
      case "tool-call-start":
        this.#calls.set(event.block, { id: event.id, name: event.name, arguments: [] });
        break;
      case "text-delta":
      case "reasoning-delta":
        this.#texts.get(event.block)?.said.push(event.text);
        break;
      case "tool-call-delta":
        this.#calls.get(event.block)?.arguments.push(event.text);
        break;
      case "text-end":
      case "reasoning-end":
      case "tool-call-end": {
        const ended = this.#end(event);
        if (ended === null) this.#held = null;
        else {
          yield* this.#release();
          yield ended;
        }
        return;
      }
      default:
    }
    yield* this.#release();
    yield event;
  }

  *#release(): Generator<ModelEvent> {
    const held = this.#held;
    this.#held = null;
    if (held !== null) yield held;
  }

  /** null: the block is not told at all. */
  #end(event: Ends): Ends | null {
    const part = this.#part(event);
    if (part === null) return event;
    const token = event.opaque === undefined ? null : tokenOf(part, event.opaque, this.#o);
    const opaque = settle(part, { token, pieces: this.pieces, sealing: this.#o });
    if (token === null) return event;
    const isNothing = opaque === undefined && part.type !== "tool-call" && part.text === "" && this.#held?.block === event.block;
    return isNothing ? null : { ...event, opaque };
  }

  #part(event: Ends): Extract<AnswerPart, { type: "reasoning" | "text" | "tool-call" }> | null {
    const { block } = event;
    if (event.type === "tool-call-end") {
      const call = this.#calls.get(block);
      this.#calls.delete(block);
      return call === undefined ? null : { type: "tool-call", id: call.id, name: call.name, arguments: call.arguments.join("") };
    }
    const begun = this.#texts.get(block);
    const text = begun?.said.join("") ?? "";
    this.#texts.delete(block);
    if (event.type === "text-end") return { type: "text", text };
    return { type: "reasoning", text, itemId: event.itemId ?? begun?.itemId, redacted: event.redacted };
  }
}
