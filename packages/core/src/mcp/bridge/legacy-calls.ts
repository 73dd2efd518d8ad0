import { GatewayError } from "../../errors/index.js";
import { textAt } from "../frames/json-scan.js";
import { member } from "../frames/message.js";
import { newId } from "../../util/ids.js";
import type { BridgedCall } from "./bridged-call.js";
import { GuardedAsker } from "./guarded-asker.js";
import { bridgeable } from "./capabilities.js";
import type { Replied } from "./held-call.js";
import { inputRequestsOf, isInputRequired } from "./input-required.js";
import { NO_RETRY, objectOf, type Retry } from "./members.js";
import type { Asker, Question } from "./question.js";

/** A server that asks more often than this in one call is not followed. Source: the limit of the official SDK's clients. */
const MAX_ROUNDS = 10;

/**
 * A call of a client up to 2025-11-25. A server of its own era asks through the lane; one of 2026-07-28 answers that it needs input: its questions become requests to the client, and the call is made again with the answers and the
 * server's own state.
 * Errors: those of the way and of guardrails, which look at questions and answers; `upstream_protocol` for a server that asks too often, or asks what its client did not declare; `unsupported_feature` when the client refuses what the protocol has no refusal for.
 */
export async function legacyCall(o: BridgedCall): Promise<Replied> {
  const { rpc, signal } = o;
  const asker = rpc.session?.asker(rpc.takesStream ? o.put : undefined);
  const guard = asker === undefined ? null : o.guard();
  if (asker === undefined || guard === null) return follow(o, asker);
  const stop = new AbortController();
  const leave = (): void => stop.abort(signal.reason);
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave, { once: true });
  let refusal: GatewayError | null = null;
  const end = (error: GatewayError): void => {
    refusal ??= error;
    stop.abort(refusal);
  };
  try {
    return await follow({ ...o, signal: stop.signal }, new GuardedAsker(asker, { guard: () => guard, seesAnswers: true, end }));
  } catch (error) {
    throw refusal ?? error;
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

async function follow(o: BridgedCall, asker: Asker | undefined): Promise<Replied> {
  const { extensions: _tasks, ...declared } = bridgeable(asker?.capabilities ?? {});
  const capabilities = asker === undefined ? undefined : JSON.stringify(declared);
  let retry: Retry = NO_RETRY;
  for (let round = 0; round <= MAX_ROUNDS; round++) {
    const { signal, deadlineMs, onNotice } = o;
    const replied = await o.send({ signal, deadlineMs, onNotice, asker, capabilities, retry });
    if (!isInputRequired(replied.reply)) return replied;
    if (asker === undefined)
      throw new GatewayError("upstream_protocol", "The server asked a question of a client that declared no capability for it.");
    retry = await answered(replied, asker, signal);
  }
  throw new GatewayError("upstream_protocol", `The server asked for input more than ${MAX_ROUNDS} times in one call.`);
}

async function answered({ reply }: Replied, asker: Asker, signal: AbortSignal): Promise<Retry> {
  const responses = new Map<string, string>();
  const ask = async ([key, question]: readonly [string, Question]): Promise<void> => {
    const answer = await asker.ask(withErrand(question), signal);
    if ("result" in answer) responses.set(key, answer.result);
    // The one refusal that the protocol has.
    else if (question.method === "elicitation/create") responses.set(key, '{"action":"cancel"}');
    else
      throw new GatewayError("unsupported_feature", `The client did not answer ${question.method}: ${answer.error.message.slice(0, 200)}`, {
        details: { rpcCode: answer.error.code },
      });
  };
  await Promise.all([...inputRequestsOf(reply)].map(ask));
  signal.throwIfAborted();
  const state = member(reply.result, "requestState");
  return {
    inputResponses: responses.size === 0 ? null : objectOf(responses),
    requestState: state === null ? null : textAt(reply.bytes, state),
  };
}

/** Up to 2025-11-25 an errand to a page has an id, which servers do not give any more. */
function withErrand(question: Question): Question {
  const { method, params } = question;
  if (method !== "elicitation/create" || params === null) return question;
  const { mode, elicitationId } = JSON.parse(params) as { mode?: unknown; elicitationId?: unknown };
  if (mode !== "url" || elicitationId !== undefined) return question;
  return { method, params: `{"elicitationId":${JSON.stringify(newId("errand"))},${params.trimStart().slice(1)}` };
}
