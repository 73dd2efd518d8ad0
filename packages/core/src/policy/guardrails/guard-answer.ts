import type { JsonObject, ModelEvent } from "../../calls/index.js";
import type { OpenCall } from "../step.js";
import { mapJson, sealedIn } from "./content/map-json.js";
import { inspect, type Active, type Inspection, type Slot } from "./inspect.js";
import { holdsBack, TextChain } from "./text-chain.js";

const OUTPUT = ["output"] as const;
/** Arguments are what a model answers, and what a tool will be called with. */
const ARGUMENTS = ["arguments", "output"] as const;

type TextDelta = Extract<ModelEvent, { type: "text-delta" | "reasoning-delta" | "refusal-delta" }>;
type Block = Extract<ModelEvent, { block: number }>;
type ToolCallEvent = Extract<ModelEvent, { type: "tool-call-start" | "tool-call-delta" | "tool-call-end" }>;
interface HeldCall {
  readonly start: Extract<ToolCallEvent, { type: "tool-call-start" }>;
  text: string;
  end: Extract<ToolCallEvent, { type: "tool-call-end" }> | null;
}

/**
 * A model's answer as the guardrails let it pass: text and reasoning with what may still become part of something held back, calls of tools once they are whole, and everything else as it
 * comes. Errors: those of the source, and what the reporter throws: then nothing of what was found has left.
 */
export function guardAnswer(source: AsyncIterable<ModelEvent>, active: readonly Active[], o: Inspection): AsyncIterable<ModelEvent> {
  return new AnswerGuard(active, o).events(source);
}

class AnswerGuard {
  readonly #active: readonly Active[];
  readonly #o: Inspection;
  readonly #chains = new Map<string, { readonly chain: TextChain; readonly type: TextDelta["type"] }>();
  /** In the order in which they began: calls may run side by side, and leave one after the other. */
  #calls: HeldCall[] = [];
  readonly #holds: boolean;

  constructor(active: readonly Active[], o: Inspection) {
    this.#active = active;
    this.#o = o;
    this.#holds = active.some(holdsBack);
  }

  async *events(source: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
    for await (const event of source) {
      const passed = this.#pass(event);
      if (passed instanceof Promise) yield* await passed;
      else if (passed !== null) yield passed;
    }
  }

  /** Without a promise for what comes most: the pieces of a text. */
  #pass(event: ModelEvent): ModelEvent | null | Promise<readonly ModelEvent[]> {
    switch (event.type) {
      case "text-delta":
      case "reasoning-delta":
      case "refusal-delta":
        return this.#delta(event);
      case "tool-call-delta": {
        const held = this.#heldCall(event);
        if (held !== undefined) held.text += event.text;
        return null;
      }
      case "usage":
        return event;
      default:
        return this.#seldom(event);
    }
  }

  #delta(event: TextDelta): ModelEvent | null | Promise<readonly ModelEvent[]> {
    const text = this.#chainOf(event).push(event.text);
    // Tokens with their probabilities say the text once more.
    const kept: ModelEvent | null =
      !this.#holds || (text === event.text && event.logprobs === undefined)
        ? { ...event, text }
        : text === "" && event.extras === undefined
          ? null
          : {
              type: event.type,
              index: event.index,
              block: event.block,
              text,
              ...(event.extras === undefined ? {} : { extras: event.extras }),
            };
    if (event.extras === undefined || kept === null) return kept;
    return this.#asides(kept).then((inspected) => [inspected]);
  }

  async #seldom(
    event: Exclude<ModelEvent, { type: "text-delta" | "reasoning-delta" | "refusal-delta" | "tool-call-delta" | "usage" }>,
  ): Promise<ModelEvent[]> {
    switch (event.type) {
      case "text-end":
      case "reasoning-end":
      case "refusal-end":
        return [...(await this.#ended(event)), await this.#asides(event)];
      case "tool-call-start":
        this.#calls.push({ start: event, text: "", end: null });
        return [];
      case "tool-call-end": {
        const held = this.#heldCall(event);
        if (held !== undefined) held.end = event;
        return this.#wholeCalls();
      }
      case "media":
        for (const { guardrail } of this.#active)
          if (guardrail.rules.stages.includes("output"))
            this.#o.reporter.unseen(guardrail, `a file of type ${event.mediaType.slice(0, 60)}`, { stage: "output" });
        return [await this.#asides(event)];
      case "finish":
        return [...(await this.#rest(event.index)), await this.#asides(event)];
      case "start":
      case "text-start":
      case "reasoning-start":
      case "refusal-start":
      case "citation":
      case "native":
      case "extra":
        return [await this.#asides(event)];
    }
  }

  #chainOf({ type, index, block }: TextDelta): TextChain {
    const key = `${index}:${block}`;
    let open = this.#chains.get(key);
    if (open === undefined) this.#chains.set(key, (open = { type, chain: new TextChain(this.#active, { ...this.#o, stages: OUTPUT }) }));
    return open.chain;
  }

  async #ended(event: Extract<ModelEvent, { type: "text-end" | "reasoning-end" | "refusal-end" }>): Promise<ModelEvent[]> {
    const { index, block } = event;
    const open = this.#chains.get(`${index}:${block}`);
    if (open === undefined) return [];
    this.#chains.delete(`${index}:${block}`);
    const text = await open.chain.end();
    const { type } = open;
    return text === "" ? [] : [{ type, index, block, text }];
  }

  #heldCall({ index, block }: Block): HeldCall | undefined {
    return this.#calls.find(({ start }) => start.index === index && start.block === block);
  }

  /** Those at the head that are whole. */
  async #wholeCalls(): Promise<ModelEvent[]> {
    const events: ModelEvent[] = [];
    while ((this.#calls[0]?.end ?? null) !== null) events.push(...(await this.#call(this.#calls.shift()!)));
    return events;
  }

  /** What a candidate leaves open when it finishes: an answer that was cut off. */
  async #rest(index: number): Promise<ModelEvent[]> {
    const events: ModelEvent[] = [];
    for (const [key, { chain, type }] of this.#chains) {
      const [candidate, block] = key.split(":").map(Number) as [number, number];
      if (candidate !== index) continue;
      this.#chains.delete(key);
      const text = await chain.end();
      if (text !== "") events.push({ type, index, block, text });
    }
    const own = this.#calls.filter(({ start }) => start.index === index);
    this.#calls = this.#calls.filter(({ start }) => start.index !== index);
    for (const held of own) events.push(...(await this.#call(held)));
    return events;
  }

  async #call({ start, text, end }: HeldCall): Promise<ModelEvent[]> {
    const { index, block } = start;
    const name: Slot = { text: start.name, kind: "aside", stages: ARGUMENTS, group: 0 };
    const declared = declaredOf(this.#o.call, start.name);
    const said: Slot = { text, kind: start.input === "text" ? "text" : "json", stages: ARGUMENTS, group: 0, tool: start.name, declared };
    await inspect([name, said], this.#active, this.#o);
    return [
      await this.#asides(name.text === start.name ? start : { ...start, name: name.text }),
      ...(said.text === "" ? [] : [{ type: "tool-call-delta" as const, index, block, text: said.text }]),
      ...(end === null ? [] : [await this.#asides(end)]),
    ];
  }

  /** The fields of an event that stand beside its text: those of one protocol, sources, whole items. */
  async #asides<E extends ModelEvent>(event: E): Promise<E> {
    const part = event.type === "native" ? "item" : event.type === "citation" ? "citation" : "extras";
    const value = (event as unknown as Record<string, unknown>)[part];
    if (value === undefined) return event;
    const slots: Slot[] = [];
    const unseen = (what: string): void => {
      for (const { guardrail } of this.#active)
        if (guardrail.rules.stages.includes("output")) this.#o.reporter.unseen(guardrail, what, { stage: "output" });
    };
    const sealed = event.type === "native" ? sealedIn(event.protocol) : undefined;
    mapJson(value, { text: (text) => (slots.push({ text, kind: "aside", stages: OUTPUT, group: 0 }), text), unseen, sealed });
    await inspect(slots, this.#active, this.#o);
    let next = 0;
    const mapped = mapJson(value, { text: () => slots[next++]!.text, unseen: () => undefined, sealed });
    return mapped === value ? event : { ...event, [part]: mapped };
  }
}

/** What the call declared of a tool. */
function declaredOf(call: OpenCall, name: string): JsonObject | undefined {
  const content = call.content();
  if (content.kind !== "model") return undefined;
  const tool = content.call.tools?.find((each) => !("hosted" in each) && each.name === name);
  return tool === undefined || "hosted" in tool ? undefined : tool.inputSchema;
}
