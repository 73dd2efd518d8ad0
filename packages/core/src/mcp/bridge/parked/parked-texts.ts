import type { JsonObject } from "../../../calls/index.js";
import { codes, GatewayError, type ErrorCode } from "../../../errors/index.js";
import { readMessage, upstreamPlan } from "../../frames/message.js";
import type { Era } from "../../frames/protocol.js";
import { utf8 } from "../../frames/splice.js";
import type { Replied } from "../held-call.js";
import { membersOf } from "../members.js";
import type { Question, QuestionMethod } from "../question.js";

/** How a call ended that was kept. */
export type Ended =
  | { readonly kind: "reply"; readonly replied: Replied }
  | { readonly kind: "error"; readonly error: GatewayError }
  | { readonly kind: "cancelled" };

/** A longer answer is not handed to another process. */
const MAX_CHARACTERS = 8_388_608;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Questions as a client is asked them: by key, `{method, params}`, the parameters as they came. */
export function encodeQuestions(questions: ReadonlyMap<string, Question>): string {
  const members = [...questions].map(([key, { method, params }]) => {
    const rest = params === null ? "" : `,"params":${params}`;
    return `${JSON.stringify(key)}:{"method":"${method}"${rest}}`;
  });
  return `{${members.join(",")}}`;
}

export function decodeQuestions(text: string | null): ReadonlyMap<string, Question> {
  const questions = new Map<string, Question>();
  for (const [key, one] of membersOf(text ?? "{}")) {
    const members = membersOf(one);
    questions.set(key, { method: JSON.parse(members.get("method") ?? '""') as QuestionMethod, params: members.get("params") ?? null });
  }
  return questions;
}

export function encodeOutcome(ended: Ended): string {
  if (ended.kind === "cancelled") return '{"kind":"cancelled"}';
  if (ended.kind === "error") {
    const { code, message, hint, details } = ended.error;
    return JSON.stringify({ kind: "error", code, message, hint, details });
  }
  const { reply, connection } = ended.replied;
  if (reply.bytes.length > MAX_CHARACTERS)
    return encodeOutcome({
      kind: "error",
      error: new GatewayError("payload_too_large", "The result is too large to be kept for its client.", {
        hint: "Ask the tool for less at once.",
      }),
    });
  return JSON.stringify({ kind: "reply", era: connection.era, text: decoder.decode(reply.bytes) });
}

export function decodeOutcome(sealed: string | null): Ended {
  const { kind, era, text, code, message, hint, details } = JSON.parse(sealed ?? "{}") as Readonly<Record<string, unknown>>;
  if (kind === "cancelled") return { kind };
  if (kind === "reply" && typeof text === "string")
    return { kind, replied: { reply: readMessage(utf8(text), upstreamPlan), connection: { era: era as Era } } };
  const known = typeof code === "string" && Object.hasOwn(codes, code) ? (code as ErrorCode) : "state_corrupt";
  const more = {
    ...(typeof hint === "string" ? { hint } : {}),
    ...(typeof details === "object" && details !== null ? { details: details as JsonObject } : {}),
  };
  return {
    kind: "error",
    error: new GatewayError(known, typeof message === "string" ? message : "What became of the call does not read back.", more),
  };
}
