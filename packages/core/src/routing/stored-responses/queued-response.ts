import { KeyTable } from "../../util/json-scanner.js";
import { JsonFields } from "./json-fields.js";
import type { Own } from "./own-response.js";
import type { ResponsesRequest } from "./read-request.js";

/** Fields that a response repeats of its request, and what they are when nobody said. Source: OpenAI's `Response`. */
const repeated: Readonly<Record<string, string>> = {
  model: '""',
  instructions: "null",
  max_output_tokens: "null",
  metadata: "{}",
  parallel_tool_calls: "true",
  reasoning: "null",
  temperature: "null",
  text: '{"format":{"type":"text"}}',
  tool_choice: '"auto"',
  tools: "[]",
  top_p: "null",
  truncation: '"disabled"',
};
const table = new KeyTable(Object.keys(repeated));

/** A response that is going to be made, as its caller is told of it: JSON. */
export function queuedResponse(request: ResponsesRequest, own: Own, nowMs: number): string {
  const said = new JsonFields(request.fields.bytes, table);
  const fields: readonly [string, string][] = [
    ["id", JSON.stringify(own.id)],
    ["object", '"response"'],
    ["created_at", String(Math.floor(nowMs / 1000))],
    ["status", '"queued"'],
    ["background", "true"],
    ["store", "true"],
    ["error", "null"],
    ["incomplete_details", "null"],
    ["output", "[]"],
    ["usage", "null"],
    ["previous_response_id", own.previousId === undefined ? "null" : JSON.stringify(own.previousId)],
    ...Object.entries(repeated).map(([name, usual]): [string, string] => [name, said.json(name) ?? usual]),
  ];
  return `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}
