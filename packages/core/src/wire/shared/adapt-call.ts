import type { ModelAnswer, ModelCall, ModelEvent } from "../../calls/index.js";
import { adaptFields } from "./adapt/adapt-fields.js";
import { adaptMessages } from "./adapt/adapt-messages.js";
import { adaptTools } from "./adapt/adapt-tools.js";
import type { AdaptTarget } from "./adapt/adapting.js";
import { restoreAnswer, restoreEvents } from "./adapt/restore-calls.js";
import { wellFormedCall } from "./adapt/well-formed-call.js";
import type { Warning } from "./codec.js";

export type { AdaptTarget } from "./adapt/adapting.js";
export { urlMediaOf, withMedia, type FetchedMedia, type UrlMedia } from "./adapt/url-media.js";

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
 * Media by URL stays as it is: `urlMediaOf` names what the target does not take so, to be fetched before.
 * Errors: `unsupported_feature` naming the field for what has no counterpart and may not be left out; `validation_failed` for tools that share a name.
 */
export function adaptCall(call: ModelCall, target: AdaptTarget): AdaptedCall {
  const warnings: Warning[] = [];
  const adapting = { target, warn: (field: string, what: string) => void warnings.push({ field, what }) };
  const mended = wellFormedCall(call, adapting);
  const tools = adaptTools(mended, adapting);
  const messages = adaptMessages(tools.call, adapting);
  const adapted = adaptFields(messages === tools.call.messages ? tools.call : { ...tools.call, messages }, adapting);
  if (tools.names.size === 0 && tools.textTools.size === 0)
    return { call: adapted, warnings, restore: (events) => events, restoreAnswer: (answer) => answer };
  return {
    call: adapted,
    warnings,
    restore: (events) => restoreEvents(events, tools),
    restoreAnswer: (answer) => restoreAnswer(answer, tools),
  };
}
