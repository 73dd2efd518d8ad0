import { GatewayError } from "../../errors/index.js";
import { textAt } from "../frames/json-scan.js";
import { member, stringMember, valueMember, type RpcMessage } from "../frames/message.js";
import { isObject } from "../../util/json.js";
import { membersOf } from "./members.js";
import { QUESTION_METHODS, type Question, type QuestionMethod } from "./question.js";

/** "Go to these pages first", of servers up to 2025-11-25. */
const URL_REQUIRED = -32042;
const MAX_QUESTIONS = 32;

/** A server since 2026-07-28 needs input before it can answer. */
export function isInputRequired({ bytes, result }: RpcMessage): boolean {
  return result !== null && stringMember(bytes, result, "resultType") === "input_required";
}

/** The id of the task that a server since 2026-07-28 made of a call; null: it made none. */
export function taskIdOf({ bytes, result }: RpcMessage): string | null {
  return result !== null && stringMember(bytes, result, "resultType") === "task" ? stringMember(bytes, result, "taskId") : null;
}

/** What it asks, by key. Errors: `upstream_protocol` for questions that there are not. */
export function inputRequestsOf({ bytes, result }: RpcMessage): ReadonlyMap<string, Question> {
  const node = member(result, "inputRequests");
  const questions = new Map<string, Question>();
  if (node === null) return questions;
  for (const [key, text] of membersOf(textAt(bytes, node))) {
    const members = membersOf(text);
    const method: unknown = JSON.parse(members.get("method") ?? "null");
    if (!(QUESTION_METHODS as readonly unknown[]).includes(method) || questions.size >= MAX_QUESTIONS)
      throw new GatewayError("upstream_protocol", "The server wants input of a kind that there is not, or too much at once.");
    questions.set(key, { method: method as QuestionMethod, params: members.get("params") ?? null });
  }
  return questions;
}

/** The pages that a server up to 2025-11-25 wants a person to see before it is called again, as questions; null: it wants none. */
export function urlErrands({ bytes, error }: RpcMessage): Map<string, Question> | null {
  if (error === null || valueMember(bytes, error, "code") !== URL_REQUIRED) return null;
  const data = valueMember(bytes, error, "data");
  const list: unknown = isObject(data) ? data["elicitations"] : null;
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_QUESTIONS) return null;
  const questions = new Map<string, Question>();
  for (const [i, params] of list.entries())
    if (isObject(params))
      questions.set(`url${i + 1}`, { method: "elicitation/create", params: JSON.stringify({ ...params, mode: "url" }) });
  return questions.size === 0 ? null : questions;
}
