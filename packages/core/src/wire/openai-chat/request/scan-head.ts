import { JsonScanner, KeyTable } from "../../../util/json-scanner.js";
import type { ScannedHead } from "../../shared/codec.js";
import { invalid } from "../../shared/fields.js";
import { isNull, readBoolean, readInteger, readModel, scanSpans, type NestedScan, type Spans } from "../../shared/head-spans.js";

/** What somebody acts on: policy by the head, the splices, and the vendor by the rest. None may stand twice. */
const headKeys = new KeyTable([
  "model",
  "messages",
  "stream",
  "stream_options",
  "max_completion_tokens",
  "max_tokens",
  "n",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "response_format",
]);
const usageOption = "stream_options.include_usage";
const optionKeys = new KeyTable(["include_usage"]);

/** `Codec.scanHead` of Chat Completions. `spans` also has `stream_options.include_usage` where it was said. */
export function scanHead(bytes: Uint8Array): ScannedHead {
  const spans = scanSpans(bytes, headKeys, { stream_options: scanStreamOptions });
  const name = readModel(bytes, spans);
  if (spans["messages"] === undefined) throw invalid("messages", "is missing");
  if (bytes[spans["messages"].start] !== 0x5b) throw invalid("messages", "must be a list");
  const options = spans["stream_options"];
  if (options !== undefined && !isNull(bytes, options) && bytes[options.start] !== 0x7b)
    throw invalid("stream_options", "must be an object");
  return {
    kind: "model",
    protocol: "openai-chat",
    operation: "generate",
    name,
    stream: readBoolean(bytes, spans, "stream"),
    maxOutputTokens: readMaxTokens(bytes, spans),
    choices: readInteger(bytes, spans, "n"),
    bytes: bytes.length,
    spans,
    wantsUsage: readBoolean(bytes, spans, usageOption),
  };
}

const scanStreamOptions: NestedScan = (scanner, put) => {
  scanner.enterObject();
  for (let key = scanner.nextKey(optionKeys); key !== JsonScanner.end; key = scanner.nextKey(optionKeys)) {
    const start = scanner.pos;
    scanner.skip();
    if (key !== JsonScanner.other) put(usageOption, { start, end: scanner.pos });
  }
};

/** When both fields are there the larger one counts: a limit must hold whichever of them the vendor obeys. */
function readMaxTokens(bytes: Uint8Array, spans: Spans): number | undefined {
  const limits = ["max_completion_tokens", "max_tokens"].map((name) => readInteger(bytes, spans, name));
  return limits.reduce((most, limit) => (most === undefined || (limit !== undefined && limit > most) ? limit : most), undefined);
}
