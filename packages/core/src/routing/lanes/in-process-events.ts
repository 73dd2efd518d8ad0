import type { ModelCall, ModelEvent } from "../../calls/index.js";
import type { Clock } from "../../ports/index.js";
import type { InProcess } from "../../providers/index.js";
import { untilAborted } from "../../util/until-aborted.js";
import { CallLifetime } from "./call-lifetime.js";
import type { Attempt } from "./attempt.js";

/**
 * The events of a provider that answers in this process. They end when the call is aborted or its deadline passes, whether their source heeds the signal or not.
 */
export async function* inProcessEvents(
  { target, call: live }: Attempt,
  o: { readonly call: ModelCall; readonly answer: InProcess },
  clock: Clock,
): AsyncGenerator<ModelEvent> {
  const lifetime = new CallLifetime({ signal: live.signal, deadlineMs: live.deadlineMs, clock });
  let iterator: AsyncIterator<ModelEvent> | null = null;
  let ended = false;
  try {
    iterator = o.answer(o.call, { model: target.code, signal: lifetime.signal })[Symbol.asyncIterator]();
    for (;;) {
      const next = await untilAborted(iterator.next(), lifetime.signal);
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    lifetime.release();
    // Not awaited: a source that heeds nothing would keep us waiting.
    if (!ended) void iterator?.return?.().then(undefined, () => undefined);
  }
}
