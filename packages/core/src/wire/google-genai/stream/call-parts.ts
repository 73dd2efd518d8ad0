import type { ModelEvent } from "../../../calls/index.js";
import { asExtras, said } from "../extras.js";
import { CallIds } from "../../shared/answers/call-ids.js";
import { PartialArgs } from "./partial-args.js";

type Json = Record<string, unknown>;

interface GivenCall {
  readonly signature: string | undefined;
  /** The JSON text of its arguments. */
  readonly args: string | undefined;
  /** What stands beside the call in its part. */
  readonly own: Json;
}
interface OpenCall {
  readonly block: number;
  readonly partial: PartialArgs;
  signature: string | undefined;
}

/**
 * The function calls of one candidate. A call comes whole, or on Vertex as a name, values by their paths and an end: `willContinue` says that more of it follows, and
 * a part without it ends the call. Ids are the vendor's, or made for those that have none.
 */
export class CallParts {
  readonly #index: number;
  readonly #ids: CallIds;
  readonly #emit: (event: ModelEvent) => void;
  readonly #nextBlock: () => number;
  #open: OpenCall | null = null;
  /** A call was made. */
  any = false;

  constructor(
    index: number,
    o: { readonly answerId: string; readonly emit: (event: ModelEvent) => void; readonly nextBlock: () => number },
  ) {
    this.#index = index;
    this.#ids = new CallIds(o.answerId, index);
    this.#emit = o.emit;
    this.#nextBlock = o.nextBlock;
  }

  push(call: Json, given: GivenCall): void {
    const { id, name, args: _args, partialArgs, willContinue, ...own } = call;
    const isNew = typeof name === "string" && name !== "";
    // A call that is begun ends the one before, whose end some streams leave out.
    if (isNew) this.close(true);
    else if (this.#open === null) return;
    const open = this.#open ?? this.#begin(id, name as string, asExtras({ ...given.own, functionCall: said(own) }));
    open.signature ??= given.signature;
    const text = given.args ?? (Array.isArray(partialArgs) ? open.partial.push(partialArgs as unknown[]) : "");
    if (text !== "") this.#emit({ type: "tool-call-delta", index: this.#index, block: open.block, text });
    if (willContinue !== true) this.#end(open, given.args !== undefined);
  }

  /** `whole`: what was begun came to its end. Otherwise it stays open, and is left out of the answer. */
  close(whole: boolean): void {
    if (whole && this.#open !== null) this.#end(this.#open, false);
    this.#open = null;
  }

  #begin(id: unknown, name: string, extras: ReturnType<typeof asExtras>): OpenCall {
    this.any = true;
    this.#open = { block: this.#nextBlock(), partial: new PartialArgs(), signature: undefined };
    this.#emit({ type: "tool-call-start", index: this.#index, block: this.#open.block, id: this.#ids.take(id), name, ...extras });
    return this.#open;
  }

  #end(open: OpenCall, hasArgs: boolean): void {
    this.#open = null;
    const rest = hasArgs ? "" : open.partial.end();
    if (rest !== "") this.#emit({ type: "tool-call-delta", index: this.#index, block: open.block, text: rest });
    const opaque = open.signature === undefined ? {} : { opaque: open.signature };
    this.#emit({ type: "tool-call-end", index: this.#index, block: open.block, ...opaque });
  }
}
