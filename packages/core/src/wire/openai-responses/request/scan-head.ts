import { KeyTable } from "../../../util/json-scanner.js";
import type { ScannedHead } from "../../shared/codec.js";
import { invalid } from "../../shared/fields.js";
import { isNull, readBoolean, readInteger, readModel, scanSpans } from "../../shared/head-spans.js";

/** What somebody acts on: policy by the head, the splices, whoever keeps state, and the vendor by the rest. None may stand twice. */
const headKeys = new KeyTable([
  "model",
  "input",
  "instructions",
  "stream",
  "max_output_tokens",
  "previous_response_id",
  "conversation",
  "store",
  "background",
  "prompt",
  "tools",
  "tool_choice",
  "text",
]);
const standIns = ["input", "instructions", "prompt", "previous_response_id", "conversation"];

/** `Codec.scanHead` of Responses. `spans` also has the fields about state, for whoever keeps it. Usage is always a part of the stream. */
export function scanHead(bytes: Uint8Array): ScannedHead {
  const spans = scanSpans(bytes, headKeys);
  const name = readModel(bytes, spans);
  const given = standIns.some((key) => spans[key] !== undefined && !isNull(bytes, spans[key]));
  if (!given) throw invalid("input", "is missing");
  const { input } = spans;
  const first = input === undefined || isNull(bytes, input) ? undefined : bytes[input.start];
  if (first !== undefined && first !== 0x22 && first !== 0x5b) throw invalid("input", "must be a string or a list of items");
  return {
    kind: "model",
    protocol: "openai-responses",
    operation: "generate",
    name,
    stream: readBoolean(bytes, spans, "stream"),
    maxOutputTokens: readInteger(bytes, spans, "max_output_tokens"),
    bytes: bytes.length,
    spans,
    wantsUsage: true,
  };
}
