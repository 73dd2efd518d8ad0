import type { Message, ModelCall, ProtocolId, ToolCallPart } from "../../calls/index.js";
import type { Warning } from "../../wire/shared/codec.js";
import { whyNot, type Destination } from "./bonds.js";
import type { CallKey, Kept } from "./kept-turn.js";
import { Prefixes } from "./prefixes.js";
import type { Provenance } from "./provenance.js";
import { isEnvelope, type Sealer } from "./sealer.js";
import { textMark } from "./text-mark.js";
import { weaveTurn, type AssistantPart } from "./weave.js";

export interface Holding {
  readonly sealer: Sealer;
  readonly projectId: string;
  /** The dialect that the call came in: a token in it that is no envelope was given by a vendor of that protocol, relayed. null: it came in neutral shape. */
  readonly dialect: ProtocolId | null;
  /** Looked up only when the caller's dialect left something out. */
  readonly find: ((calls: readonly CallKey[]) => Promise<ReadonlyMap<CallKey, Kept>>) | null;
}
type Sealable = Extract<AssistantPart, { type: "text" | "reasoning" | "tool-call" }>;

/** A call whose envelopes are open and whose turns are whole again: what it carries, before it is known where it goes. Immutable; one for all attempts. */
export interface HeldCall {
  /** Where the newest of its tokens that this provider gave was paid from; null: it has none. */
  keyPrintFor(provider: string): string | null;
  /** The call with the tokens that may go there, as the vendor made them, and without all others. */
  forDestination(to: Destination): { readonly call: ModelCall; readonly warnings: readonly Warning[] };
}

/** Opens what a call carries. The store is read at most once. */
export async function holdCall(call: ModelCall, o: Holding): Promise<HeldCall> {
  const known = new Map<AssistantPart, Provenance>();
  const wanted: ToolCallPart[] = [];
  let hasTokens = false;
  for (const part of assistantParts(call.messages)) {
    if (!isSealable(part)) continue;
    if (part.opaque !== undefined) {
      hasTokens = true;
      const provenance = o.sealer.open(part.opaque, o.projectId);
      if (provenance !== null) known.set(part, provenance);
    } else if (part.type === "tool-call") wanted.push(part);
  }
  const kept = o.find === null || wanted.length === 0 ? new Map<CallKey, Kept>() : await o.find(wanted);
  if (!hasTokens && kept.size === 0) return untouched(call);
  const messages = kept.size === 0 ? call.messages : restored(call.messages, { kept, known, sealer: o.sealer });
  return new OpenedCall({ ...call, messages }, known, o);
}

function restored(
  messages: readonly Message[],
  o: { readonly kept: ReadonlyMap<CallKey, Kept>; readonly known: Map<AssistantPart, Provenance>; readonly sealer: Sealer },
): Message[] {
  const weaving = {
    sealer: o.sealer,
    keptFor: (part: AssistantPart) => o.kept.get(part as ToolCallPart) ?? null,
    restored: (part: AssistantPart, token: Provenance) => void o.known.set(part, token),
  };
  return messages.map((message) => (message.role === "assistant" ? { ...message, content: weaveTurn(message.content, weaving) } : message));
}

/** Nothing of it is sealed. */
function untouched(call: ModelCall): HeldCall {
  return { keyPrintFor: () => null, forDestination: () => ({ call, warnings: [] }) };
}

class OpenedCall implements HeldCall {
  readonly #call: ModelCall;
  readonly #known: ReadonlyMap<AssistantPart, Provenance>;
  readonly #o: Holding;

  constructor(call: ModelCall, known: ReadonlyMap<AssistantPart, Provenance>, o: Holding) {
    this.#call = call;
    this.#known = known;
    this.#o = o;
  }

  keyPrintFor(provider: string): string | null {
    let newest: string | null = null;
    for (const part of assistantParts(this.#call.messages)) {
      const provenance = this.#known.get(part);
      if (provenance?.provider === provider) newest = provenance.keyPrint;
    }
    return newest;
  }

  forDestination(to: Destination): { readonly call: ModelCall; readonly warnings: readonly Warning[] } {
    const warnings: Warning[] = [];
    const refused = this.#refused(to);
    const messages: Message[] = [];
    this.#call.messages.forEach((message, i) => {
      if (message.role !== "assistant") {
        messages.push(message);
        return;
      }
      const content = message.content.flatMap((part, j) => {
        const why = refused.get(part);
        if (why !== undefined) warnings.push({ field: `messages[${i}].content[${j}]`, what: `${nameOf(part)} was left out: ${why}` });
        return why === undefined ? [this.#given(part)] : withoutToken(part as Sealable);
      });
      // A turn that was nothing but sealed is no turn to anybody else.
      if (content.length > 0 || message.content.length === 0) messages.push({ ...message, content });
    });
    return { call: { ...this.#call, messages }, warnings };
  }

  /** The parts whose token does not go there, and why not. */
  #refused(to: Destination): Map<AssistantPart, string> {
    const refused = new Map<AssistantPart, string>();
    const prefixes = new Prefixes(this.#o.sealer);
    const { messages } = this.#call;
    let turn: AssistantPart[] = [];
    const endTurn = (): void => {
      refuseRun(turn, refused, to);
      turn = [];
    };
    messages.forEach((message, i) => {
      prefixes.push(message);
      if (message.role === "user") endTurn();
      if (message.role !== "assistant") return;
      for (const part of message.content) {
        const why = this.#whyNot(part, to, prefixes.current);
        if (why !== null) refused.set(part, why);
      }
      turn.push(...message.content);
      if (messages[i + 1]?.role !== "assistant") refuseTail(message.content, refused, this.#known);
    });
    endTurn();
    return refused;
  }

  #whyNot(part: AssistantPart, to: Destination, prefix: string): string | null {
    if (!isSealable(part)) return null;
    const provenance = this.#known.get(part);
    if (provenance !== undefined) {
      const text = part.type === "reasoning" ? textMark(part.text, this.#o.sealer) : undefined;
      return whyNot(provenance, to, { prefix, text });
    }
    if (part.opaque === undefined) return null;
    if (isEnvelope(part.opaque)) return "it is not sealed by this gateway, or for another project";
    return this.#o.dialect === to.protocol ? null : "it is not known where it is from";
  }

  #given(part: AssistantPart): AssistantPart {
    const provenance = this.#known.get(part);
    if (provenance === undefined || !isSealable(part)) return part;
    if (part.type !== "reasoning") return { ...part, opaque: provenance.token };
    const { token, itemId, redacted } = provenance;
    return { ...part, opaque: token, itemId, redacted };
  }
}

/** A vendor that binds tokens to what stands around them wants all of a turn's reasoning or none. */
function refuseRun(turn: readonly AssistantPart[], refused: Map<AssistantPart, string>, to: Destination): void {
  if (!to.bonds.includes("prefix") && !to.bonds.includes("text")) return;
  const first = turn.find((part) => part.type === "reasoning" && refused.has(part));
  if (first === undefined) return;
  for (const part of turn)
    if (part.type === "reasoning" && part.opaque !== undefined && !refused.has(part)) refused.set(part, "other reasoning of its turn was");
}

/** Reasoning whose answer or call the caller took away means nothing any more, and vendors refuse a turn that ends in it. */
function refuseTail(
  content: readonly AssistantPart[],
  refused: Map<AssistantPart, string>,
  known: ReadonlyMap<AssistantPart, Provenance>,
): void {
  for (let i = content.length - 1; i >= 0; i--) {
    const part = content[i]!;
    if (part.type !== "reasoning") return;
    if (known.has(part) && !refused.has(part)) refused.set(part, "what followed it was taken away");
  }
}

function withoutToken(part: Sealable): AssistantPart[] {
  if (part.type === "tool-call") return [without(part, "opaque")];
  if (part.text === "") return [];
  if (part.type === "text") return [without(part, "opaque")];
  return part.redacted === true ? [] : [without(without(without(part, "opaque"), "itemId"), "redacted")];
}

function without<P extends object, K extends keyof P>(part: P, key: K): P {
  const { [key]: _left, ...rest } = part;
  return rest as P;
}

function nameOf(part: AssistantPart): string {
  if (part.type === "tool-call") return "the vendor's token of a tool call";
  return part.type === "reasoning" ? "sealed reasoning" : "the vendor's token of a text";
}

function isSealable(part: AssistantPart): part is Sealable {
  return part.type === "reasoning" || part.type === "text" || part.type === "tool-call";
}

function* assistantParts(messages: readonly Message[]): Generator<AssistantPart> {
  for (const message of messages) if (message.role === "assistant") yield* message.content;
}
