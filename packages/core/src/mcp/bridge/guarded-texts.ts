import type { JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { QuestionGuard } from "../../policy/guardrails/guard-call.js";
import { isObject, parseJsonText } from "../../util/json.js";
import { changedText } from "../frames/changed-text.js";
import { textAt } from "../frames/json-scan.js";
import { readMessage, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { replaceWith, splice, utf8 } from "../frames/splice.js";
import type { Question } from "./question.js";

/** The parameters of a question as guardrails leave them; all that they did not change stands as it stood. Errors: theirs. */
export async function guardedQuestion({ method, params }: Question, guard: QuestionGuard, signal: AbortSignal): Promise<Question> {
  if (params === null) return { method, params };
  return { method, params: changed(params, await guard.question(parseJsonText(params) as JsonObject, signal)) };
}

/** The same of an answer. */
export async function guardedAnswer(result: string, guard: QuestionGuard, signal: AbortSignal): Promise<string> {
  return changed(result, await guard.answer(parseJsonText(result) as JsonObject, signal));
}

/** The same of a server's answer that wants input, all of it. Errors: `content_blocked` also when the key of a question would have to change, by which it is answered. */
export async function guardedRequests(reply: RpcMessage, guard: QuestionGuard, signal: AbortSignal): Promise<RpcMessage> {
  const { bytes } = reply;
  const result = reply.result!;
  // What the server wants back is opaque, and no client sees it.
  const { resultType, requestState, inputRequests, ...said } = parseJsonText(textAt(bytes, result)) as JsonObject;
  const requests = isObject(inputRequests) ? Object.entries(inputRequests as Readonly<Record<string, JsonObject>>) : [];
  const asked = Object.fromEntries(requests.map(([key, { method: _method, ...rest }]) => [key, rest]));
  const seen = await guard.question({ ...said, inputRequests: asked }, signal);
  const { inputRequests: left, ...others } = seen as JsonObject & { readonly inputRequests: JsonObject };
  const guarded = requests.map(([key, { method }]) => {
    if (left[key] === undefined) throw keyBlocked();
    return [key, { method, ...(left[key] as JsonObject) }] as const;
  });
  const own = { resultType, requestState, ...(requests.length === 0 ? {} : { inputRequests: Object.fromEntries(guarded) }) };
  const text = changedText(bytes.subarray(result.start, result.end), { ...own, ...others } as JsonObject);
  return text === null ? reply : readMessage(splice(bytes, [replaceWith(result, text)]), upstreamPlan);
}

/** The same of a client's answers by key, as JSON text. Errors: the same; `validation_failed` for an answer that is no object. */
export async function guardedResponses(text: string, guard: QuestionGuard, signal: AbortSignal): Promise<string> {
  const answers = Object.entries(parseJsonText(text) as JsonObject);
  const left: (readonly [string, JsonObject])[] = [];
  for (const [key, answer] of answers) {
    if (!isObject(answer)) throw new GatewayError("validation_failed", 'An answer in "inputResponses" is not an object.');
    const named = { [key]: null };
    if ((await guard.answer(named, signal)) !== named) throw keyBlocked();
    left.push([key, await guard.answer(answer as JsonObject, signal)]);
  }
  return changed(text, Object.fromEntries(left));
}

function changed(text: string, value: JsonObject): string {
  return changedText(utf8(text), value) ?? text;
}

function keyBlocked(): GatewayError {
  return new GatewayError("content_blocked", "A guardrail would change the key that a question is answered by, and so it does not pass.");
}
