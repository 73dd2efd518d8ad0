import { GatewayError } from "../../errors/index.js";
import type { InputItemsPage } from "../../seams/index.js";
import { isObject, parseJsonText } from "../../util/json.js";

type Item = Readonly<Record<string, unknown>>;

const prefixes: Readonly<Record<string, string>> = {
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  function_call_output: "fco",
  custom_tool_call: "ctc",
  custom_tool_call_output: "ctco",
};

/**
 * A page of what a response was made from, earlier turns included, as OpenAI lists it: every item has an id, and a message its parts.
 * Errors: `validation_failed` for an `after` that is none of them. Source: https://platform.openai.com/docs/api-reference/responses/input-items
 */
export function inputItemsPage(list: string, page: InputItemsPage, responseId: string): unknown {
  const parsed = parseJsonText(list);
  const items = (Array.isArray(parsed) ? parsed : []).filter(isObject).map((item, at) => shown(item, `${responseId.slice(5)}_${at}`));
  if (page.order === "desc") items.reverse();
  const place = page.after === undefined ? -1 : items.findIndex((item) => item["id"] === page.after);
  if (page.after !== undefined && place < 0)
    throw new GatewayError("validation_failed", "query.after: is the id of no item of this response", { details: { param: "after" } });
  const data = items.slice(place + 1, place + 1 + page.limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.["id"] ?? null,
    last_id: data.at(-1)?.["id"] ?? null,
    has_more: place + 1 + page.limit < items.length,
  };
}

function shown(item: Item, name: string): Item {
  const type = typeof item["type"] === "string" ? item["type"] : "message";
  const whole = { ...item, type, id: typeof item["id"] === "string" ? item["id"] : `${prefixes[type] ?? "item"}_${name}` };
  if (type !== "message" || typeof item["content"] !== "string") return whole;
  const text = item["content"];
  const part = item["role"] === "assistant" ? { type: "output_text", text, annotations: [] } : { type: "input_text", text };
  return { ...whole, content: [part] };
}
