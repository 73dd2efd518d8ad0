import type { Answer, ModelEvent } from "../../calls/index.js";
import { answerHeaders } from "./answer-headers.js";
import { askForAnswer, askForEvents, unfolded, type Question } from "./ask-target.js";
import type { WireRequest } from "./relay-lane.js";
import type { Attempt } from "./attempt.js";
import type { Wires } from "./wires.js";

/**
 * The translate lane: the call goes out in the target's protocol, and what comes back is neutral. `asEvents`: a step wants to see the answer pass; otherwise a
 * whole answer is encoded at once.
 */
export async function translateLane(
  attempt: Attempt,
  o: { readonly request: WireRequest; readonly question: Question; readonly asEvents: boolean },
  wires: Wires,
): Promise<Answer<ModelEvent>> {
  const { codec, head } = o.request;
  const { meter } = attempt.call;
  if (head.stream) {
    const { answer, vendor, warnings } = await askForEvents(attempt, o.question, wires);
    return { status: 200, headers: answerHeaders({ stream: true, meter, vendor, warnings }), body: { kind: "events", events: answer } };
  }
  const { answer, vendor, warnings } = await askForAnswer(attempt, o.question, wires);
  const headers = answerHeaders({ stream: false, meter, vendor, warnings });
  if (o.asEvents) return { status: 200, headers, body: { kind: "events", events: unfolded(answer) } };
  return { status: 200, headers, body: { kind: "bytes", bytes: codec.encodeAnswer(answer) } };
}
