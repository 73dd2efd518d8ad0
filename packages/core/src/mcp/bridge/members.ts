import { GatewayError } from "../../errors/index.js";
import { scanJson, scanPlan, textAt } from "../frames/json-scan.js";
import { readMessage, requestPlan, type RpcMessage } from "../frames/message.js";
import { rebuild, splice, utf8 } from "../frames/splice.js";

/** Opens an object without naming any of its members. */
const anyMembers = scanPlan({ "": {} });
const KEY = /^"(?:[^"\\]|\\[^])*"/;

/** The members of an object's JSON text, each value as the text that it came as; of a key that is there twice the last. Empty for what is no object. */
export function membersOf(text: string): Map<string, string> {
  const bytes = utf8(text);
  const found = new Map<string, string>();
  for (const kid of scanJson(bytes, anyMembers).kids ?? []) {
    const key = KEY.exec(textAt(bytes, { start: kid.keyStart, end: kid.start }))?.[0];
    if (key !== undefined) found.set(JSON.parse(key) as string, textAt(bytes, kid));
  }
  return found;
}

/** A client's answers, by key. Errors: `validation_failed` when one is no object. */
export function responsesOf(text: string): Map<string, string> {
  const responses = membersOf(text);
  for (const value of responses.values())
    if (!value.startsWith("{")) throw new GatewayError("validation_failed", 'An answer in "inputResponses" is not an object.');
  return responses;
}

/** An object's JSON text of such members. */
export function objectOf(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;
}

/** What the repetition of a request brings beside its own parameters, as JSON texts. */
export interface Retry {
  readonly inputResponses: string | null;
  readonly requestState: string | null;
}
export const NO_RETRY: Retry = { inputResponses: null, requestState: null };
/** `task`: the wish of a client up to 2025-11-25 that it be one, which is for us to ignore and not for a server that knows it. */
const RETRY_KEYS: ReadonlySet<string> = new Set(["inputResponses", "requestState", "task"]);

/** As members of `params`, without braces. */
export function retryMembers(retry: Retry): string[] {
  return [
    ...(retry.inputResponses === null ? [] : [`"inputResponses":${retry.inputResponses}`]),
    ...(retry.requestState === null ? [] : [`"requestState":${retry.requestState}`]),
  ];
}

/** The request with this in the place of what it brought; all else as it came. */
export function withRetry(message: RpcMessage, retry: Retry): RpcMessage {
  const { params } = message;
  if (params === null) return message;
  const edit = rebuild(message.bytes, params, { drop: (key) => RETRY_KEYS.has(key), members: retryMembers(retry) });
  return readMessage(splice(message.bytes, [edit]), requestPlan);
}
