import type { ModelAnswer, ModelCall, ModelEvent, ProtocolId } from "../../calls/index.js";
import type { CodecTraits, Quirks, Warning } from "./codec.js";

/** A call as its target can take it, and the way back. */
export interface AdaptedCall {
  readonly call: ModelCall;
  readonly warnings: readonly Warning[];
  /** Undoes in the answer what was done to the call: names of tools, tools that take text. The very same events when nothing has to be undone. */
  restore(events: AsyncIterable<ModelEvent>): AsyncIterable<ModelEvent>;
  restoreAnswer(answer: ModelAnswer): ModelAnswer;
}

/**
 * Fits a call to what the target's protocol can carry, the same way each time: equal calls become equal calls, so that a vendor's prompt cache recognises them.
 * Errors: `unsupported_feature` naming the field for what has no counterpart and may not be left out.
 */
export function adaptCall(
  call: ModelCall,
  _target: { readonly protocol: ProtocolId; readonly traits: CodecTraits; readonly quirks: Quirks },
): AdaptedCall {
  return { call, warnings: [], restore: (events) => events, restoreAnswer: (answer) => answer };
}
