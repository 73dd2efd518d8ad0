import type { ModelAnswer } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { newId } from "../../../util/ids.js";
import { isObject } from "../../../util/json.js";
import { CallIds } from "../../shared/answers/call-ids.js";
import { createdMs } from "../../openai-chat/answer/decode-answer.js";
import { areWholeArguments } from "../../openai-chat/answer/finish-reason.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { asExtras, saidFields, textOf, type Json } from "../extras.js";
import { itemsOf, OutputItems } from "../items/output-items.js";
import { argumentsText } from "../items/tool-call-item.js";
import { errorInResponse } from "../response-error.js";
import { decodeFinish } from "./finish-status.js";
import { decodeUsage } from "./usage.js";

/**
 * `Codec.decodeAnswer` of Responses. Of a response that was cut short a tool call without whole arguments is left out.
 * Errors: `upstream_protocol`; the vendor's own for an error body and for a response that failed inside a 200.
 */
export function decodeAnswer(bytes: Uint8Array): ModelAnswer {
  const body = parseUpstreamJson(bytes);
  const error = errorInResponse(body);
  if (error !== null) throw error;
  if (!Array.isArray(body["output"])) throw new GatewayError("upstream_protocol", "The vendor's response has no output.");
  const id = textOf(body["id"]) ?? newId("resp");
  const ids = new CallIds(id, 0);
  const items = new OutputItems((given) => ids.take(given));
  for (const item of itemsOf(body["output"])) if (isWhole(item, body)) items.push(item);
  return {
    id,
    model: textOf(body["model"]) ?? "",
    createdAtMs: createdMs(body["created_at"]),
    candidates: [{ index: 0, content: items.parts, ...decodeFinish(body, items.parts) }],
    usage: decodeUsage(body),
    ...responseExtras(body),
  };
}

/** The fields of a response that are told neutrally, or of its answer. */
const known = new Set([
  "id",
  "object",
  "created_at",
  "model",
  "output",
  "status",
  "incomplete_details",
  "usage",
  "service_tier",
  "error",
  "output_text",
]);

/** What else a response says of itself and of the request, and its usage as it came. */
export function responseExtras(body: Json): { extras?: ModelAnswer["extras"] } {
  const own = Object.fromEntries(Object.entries(body).filter(([key]) => !known.has(key)));
  return asExtras({ ...saidFields(own), usage: isObject(body["usage"]) ? body["usage"] : undefined });
}

/** Whether a call came whole: not when the vendor says so, nor when the response was cut and what came of it is not. */
export function isWhole(item: Json, response: Json): boolean {
  const { type, status } = item;
  if (type !== "function_call" && type !== "custom_tool_call") return true;
  if (status === "incomplete") return false;
  const cut = (response["status"] ?? "completed") !== "completed";
  if (!cut || status === "completed") return true;
  return type === "function_call" && areWholeArguments(argumentsText(item["arguments"]));
}
