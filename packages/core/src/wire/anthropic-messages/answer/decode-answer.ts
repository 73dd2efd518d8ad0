import type { AnswerPart, ModelAnswer } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { newId } from "../../../util/ids.js";
import { isObject } from "../../../util/json.js";
import { rawJsonAt } from "../../shared/raw-json.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInBody } from "../decode-error.js";
import { asExtras } from "../extras.js";
import { decodeBlock } from "./decode-blocks.js";
import { decodeFinish, mayBeCut, type Finish } from "./finish-reason.js";
import { messageFields } from "./message-fields.js";
import { decodeUsage } from "./usage.js";

type Json = Record<string, unknown>;

/**
 * `Codec.decodeAnswer` of Messages. The protocol says no time of creation: it is now. Of an answer that was cut short a last call without input is left out, since its
 * input may have been cut off. Errors: `upstream_protocol`; the vendor's own error when one came in a 200.
 */
export function decodeAnswer(bytes: Uint8Array): ModelAnswer {
  const body = parseUpstreamJson(bytes);
  const error = errorInBody(body);
  if (error !== null) throw error;
  const { content } = body;
  if (!Array.isArray(content)) throw new GatewayError("upstream_protocol", "The vendor's answer has no content.");
  const inputs = rawJsonAt(bytes, ["content", "*", "input"]);
  const parts = content.flatMap((block, i) => (isObject(block) ? [decodeBlock(block, textOf(inputs.get(String(i))))] : []));
  const { start, end } = messageFields(body);
  const finish = decodeFinish(
    body["stop_reason"],
    body["stop_sequence"],
    parts.some((part) => part.type === "tool-call"),
  );
  return {
    id: typeof body["id"] === "string" ? body["id"] : newId("msg"),
    model: typeof body["model"] === "string" ? body["model"] : "",
    createdAtMs: Date.now(),
    candidates: [
      {
        index: 0,
        content: withRefusal(mayBeCut(finish.reason) ? withoutCutCall(parts) : parts, end),
        finishReason: finish.reason,
        ...(finish.raw === undefined ? {} : { rawFinishReason: finish.raw }),
        ...(finish.stopSequence === undefined ? {} : { stopSequence: finish.stopSequence }),
        ...asExtras(finishFields(end, finish)),
      },
    ],
    usage: decodeUsage(body["usage"]),
    ...asExtras({ ...start, usage: isObject(body["usage"]) ? body["usage"] : undefined }),
  };
}

/** What a finish has of its own: the explanation of a refusal is a part of the answer, and a word that we do not know goes back as it came. */
export function finishFields(end: Json, { raw }: Finish): Json {
  const { stop_details: details, ...rest } = end;
  if (!isObject(details)) return { ...rest, ...(raw === undefined ? {} : { stop_reason: raw }) };
  const { explanation: _explanation, ...own } = details;
  return { ...rest, stop_details: own, ...(raw === undefined ? {} : { stop_reason: raw }) };
}

/** Why the vendor refused, in its words. */
export function refusalIn(end: Json): string | undefined {
  const details = end["stop_details"];
  const explanation = isObject(details) ? details["explanation"] : undefined;
  return typeof explanation === "string" && explanation !== "" ? explanation : undefined;
}

function withRefusal(parts: readonly AnswerPart[], end: Json): readonly AnswerPart[] {
  const text = refusalIn(end);
  return text === undefined ? parts : [...parts, { type: "refusal", text }];
}

function withoutCutCall(parts: readonly AnswerPart[]): readonly AnswerPart[] {
  const last = parts.at(-1);
  return last?.type === "tool-call" && last.arguments.replace(/\s/g, "") === "{}" ? parts.slice(0, -1) : parts;
}

function textOf(input: string | undefined): string | undefined {
  return input === "null" ? "{}" : input;
}
