import type { JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { QuestionGuard } from "../../policy/guardrails/guard-call.js";
import { traceparentOf } from "../../util/encoding/trace-parent.js";
import { isObject, parseJsonText } from "../../util/json.js";
import { changedText } from "../frames/changed-text.js";
import { textAt } from "../frames/json-scan.js";
import { idText, readMessage, requestPlan, type RpcMessage } from "../frames/message.js";
import { META, isHopKey } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";

/** What of the parameters is looked at elsewhere, or is ours. */
const SEEN: Readonly<Record<string, readonly string[]>> = {
  "tools/call": ["name", "arguments"],
  "prompts/get": ["name", "arguments"],
  "resources/read": ["uri"],
  "completion/complete": ["argument", "context"],
};
const ALWAYS_SEEN = ["inputResponses", "requestState", "taskId"];
const ENVELOPE: ReadonlySet<string> = new Set(["jsonrpc", "id", "method", "params"]);

/**
 * A caller's request as guardrails leave what it says beside its arguments: other parameters and `_meta`, which go to the server as well. What they did not change stands as it stood; what stands beside the parameters is left out.
 * Errors: theirs; `content_blocked` also when they would change what has to stay, an idempotency key or the name of what is completed.
 */
export async function guardedRequest(message: RpcMessage, guard: QuestionGuard, signal: AbortSignal): Promise<RpcMessage> {
  const { bytes, method } = message;
  const whole = parseJsonText(new TextDecoder().decode(bytes)) as JsonObject;
  const params = whole["params"] as JsonObject;
  const seen = new Set([...(SEEN[method] ?? []), ...ALWAYS_SEEN]);
  const [kept, { _meta: meta, ...others }] = parted(params, (key) => seen.has(key));
  const [ours, said] = isObject(meta) ? parted(meta as JsonObject, isOurs) : [{}, {}];
  const beside = { ...others, ...(Object.keys(said).length === 0 ? {} : { _meta: said }) };
  const left = Object.keys(beside).length === 0 ? beside : await guard.answer(beside, signal);
  if (left === beside && Object.keys(whole).every((key) => ENVELOPE.has(key))) return message;
  const { _meta: saidNow = {}, ...othersNow }: JsonObject = left;
  assertStays(said[META.idempotencyKey], (saidNow as JsonObject)[META.idempotencyKey]);
  assertStays(others["ref"], othersNow["ref"]);
  const now = { ...othersNow, ...kept, ...(isObject(meta) ? { _meta: { ...(saidNow as JsonObject), ...ours } } : {}) };
  const node = message.params!;
  const text = changedText(bytes.subarray(node.start, node.end), now) ?? textAt(bytes, node);
  return readMessage(utf8(`{"jsonrpc":"2.0","id":${idText(message)},"method":${JSON.stringify(method)},"params":${text}}`), requestPlan);

  /** What of `_meta` is written anew for each hop, and what can say nothing. */
  function isOurs(key: string, value: unknown): boolean {
    return isHopKey(key) || (key === "traceparent" && typeof value === "string" && traceparentOf(value) !== null);
  }
}

function parted(object: JsonObject, isFirst: (key: string, value: unknown) => boolean): readonly [JsonObject, JsonObject] {
  const entries = Object.entries(object);
  const first = entries.filter(([key, value]) => isFirst(key, value));
  return [Object.fromEntries(first), Object.fromEntries(entries.filter((entry) => !first.includes(entry)))];
}

function assertStays(before: unknown, now: unknown): void {
  if (before === now) return;
  throw new GatewayError("content_blocked", "A guardrail would change what names the request at its server, and so it does not pass.");
}
