import type { ModelEvent } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import type { CallIds } from "../../shared/answers/call-ids.js";
import { argumentsText, textOf } from "../answer/decode-answer.js";
import { areWholeArguments } from "../answer/finish-reason.js";
import { asExtras } from "../extras.js";

type Json = Record<string, unknown>;

interface PendingCall {
  readonly index: number | undefined;
  readonly vendorId: string | undefined;
  readonly id: string;
  type: "function" | "custom" | "function_call";
  name: string;
  /** All that came of the arguments. */
  text: string;
  /** How much of it was handed on. */
  told: number;
  /** Arguments came before any name: how much of the name is still to come is known at the end only. */
  nameLate: boolean;
  /** Its block, once begun. */
  block: number | undefined;
  own: Json;
}

/**
 * Puts the tool calls of one candidate together from its deltas. By the protocol a delta names its call by `index`, and the first one has the id and the name;
 * vendors leave out the index or the id, repeat them, use index 0 for every call, send the name late or in pieces, or a whole call at once.
 */
export class ToolCallDeltas {
  readonly #calls: PendingCall[] = [];
  readonly #candidate: number;
  readonly #ids: CallIds;
  readonly #emit: (event: ModelEvent) => void;
  readonly #nextBlock: () => number;

  constructor(
    candidate: number,
    o: { readonly ids: CallIds; readonly emit: (event: ModelEvent) => void; readonly nextBlock: () => number },
  ) {
    this.#candidate = candidate;
    this.#ids = o.ids;
    this.#emit = o.emit;
    this.#nextBlock = o.nextBlock;
  }

  get any(): boolean {
    return this.#calls.length > 0;
  }
  get anyWhole(): boolean {
    return this.#calls.some(isWhole);
  }
  get legacy(): boolean {
    return this.#calls.some((call) => call.type === "function_call");
  }
  /** A call's block was begun: until it ends only other calls may come. */
  get begun(): boolean {
    return this.#calls.some((call) => call.block !== undefined);
  }

  push(delta: Json, type: PendingCall["type"] = delta["type"] === "custom" ? "custom" : "function"): void {
    const { index: given, id, type: _type, function: called, custom, ...own } = delta;
    const part: Json = isObject(custom) ? custom : isObject(called) ? called : {};
    const index = Number.isSafeInteger(given) ? (given as number) : undefined;
    const name = textOf(part["name"]);
    const text = argumentsText(isObject(custom) ? part["input"] : part["arguments"]);
    const call = this.#find({ index, id: textOf(id), name, text }) ?? this.#add(index, id);
    if (type !== "function") call.type = type;
    if (name !== undefined && call.block === undefined) call.name = joinedName(call.name, name);
    if (Object.keys(own).length > 0) call.own = { ...call.own, ...own };
    if (text === "") return;
    if (call.name === "") call.nameLate = true;
    call.text += text;
    if (!call.nameLate) this.#tell(call);
  }

  /**
   * No more will come. Calls that are whole are ended, in order; when the answer was cut short, those whose arguments are no whole object are left open or, if
   * nothing of them was told yet, left out.
   */
  close(cut: boolean): void {
    for (const call of this.#calls) {
      if (cut && !isWhole(call)) continue;
      if (call.text === "" && call.type !== "custom") call.text = "{}";
      this.#tell(call);
      this.#emit({ type: "tool-call-end", index: this.#candidate, block: call.block as number, ...asExtras(call.own) });
    }
  }

  #find(delta: { index: number | undefined; id: string | undefined; name: string | undefined; text: string }): PendingCall | undefined {
    const { index, id, name, text } = delta;
    const found =
      index !== undefined
        ? this.#calls.findLast((call) => call.index === index)
        : id !== undefined
          ? this.#calls.findLast((call) => call.vendorId === id)
          : this.#calls.at(-1);
    if (found === undefined || name === undefined) return found;
    const otherId = index !== undefined && id !== undefined && found.vendorId !== undefined && id !== found.vendorId;
    const another = otherId || (text !== "" && areWholeArguments(found.text));
    return another ? undefined : found;
  }

  #add(index: number | undefined, id: unknown): PendingCall {
    const call: PendingCall = {
      index,
      vendorId: textOf(id),
      id: this.#ids.take(id),
      type: "function",
      name: "",
      text: "",
      told: 0,
      nameLate: false,
      block: undefined,
      own: {},
    };
    this.#calls.push(call);
    return call;
  }

  #tell(call: PendingCall): void {
    if (call.block === undefined) {
      call.block = this.#nextBlock();
      const own =
        call.type === "custom" ? { input: "text" as const } : asExtras({ type: call.type === "function" ? undefined : call.type });
      this.#emit({ type: "tool-call-start", index: this.#candidate, block: call.block, id: call.id, name: call.name, ...own });
    }
    if (call.told === call.text.length) return;
    this.#emit({ type: "tool-call-delta", index: this.#candidate, block: call.block, text: call.text.slice(call.told) });
    call.told = call.text.length;
  }
}

/** Of a custom tool's text nobody can say whether more was to come. */
function isWhole(call: PendingCall): boolean {
  return call.type !== "custom" && areWholeArguments(call.text);
}

/** A name in pieces is joined; one that is repeated, alone or with more behind it, replaces what was there. */
function joinedName(before: string, now: string): string {
  return now.startsWith(before) ? now : before + now;
}
