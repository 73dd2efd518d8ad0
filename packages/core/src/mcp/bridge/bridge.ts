import type { Bridged, BridgedCall } from "./bridged-call.js";
import { legacyCall } from "./legacy-calls.js";
import { ModernCalls, type ModernCallsOptions } from "./modern-calls.js";

/** Between clients and servers of different revisions, and between those of one: nobody but the two ends knows what a question is about. */
export class Bridge {
  readonly #modern: ModernCalls;
  constructor(options: ModernCallsOptions) {
    this.#modern = new ModernCalls(options);
  }

  async run(call: BridgedCall): Promise<Bridged> {
    if (call.rpc.era === "modern") return this.#modern.run(call);
    return { kind: "reply", replied: await legacyCall(call), state: null, isLate: false };
  }
}
