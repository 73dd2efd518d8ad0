import { GatewayError } from "../../../errors/index.js";
import { JsonScanner, KeyTable } from "../../../util/json-scanner.js";
import { fromUtf8 } from "../../../util/json.js";
import type { ScannedHead } from "../../shared/codec.js";
import { invalid } from "../../shared/fields.js";

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

interface Span {
  readonly start: number;
  readonly end: number;
}
type Spans = Record<string, Span>;

/** `Codec.scanHead` of Chat Completions. `spans` also has `stream_options.include_usage` where it was said. */
export function scanHead(bytes: Uint8Array): ScannedHead {
  const spans = scanSpans(bytes);
  const name = readModel(bytes, spans["model"]);
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
    bytes: bytes.length,
    spans,
    wantsUsage: readBoolean(bytes, spans, usageOption),
  };
}

/** What is wrong with a body that is JSON is said only once all of it was seen to be JSON. */
function scanSpans(bytes: Uint8Array): Spans {
  const scanner = new JsonScanner(bytes);
  const spans: Spans = {};
  const twice: string[] = [];
  if (scanner.peek() !== 0x7b) throw notAnObject(scanner);
  scanner.enterObject();
  for (let key = scanner.nextKey(headKeys); key !== JsonScanner.end; key = scanner.nextKey(headKeys)) {
    const name = key === JsonScanner.other ? undefined : (headKeys.names[key] as string);
    const start = scanner.pos;
    if (name === "stream_options" && scanner.peek() === 0x7b) scanStreamOptions(scanner, spans, twice);
    else scanner.skip();
    if (name !== undefined && !put(spans, name, { start, end: scanner.pos })) twice.push(name);
  }
  scanner.finish();
  const repeated = twice[0];
  if (repeated !== undefined) throw invalid(repeated, "stands twice");
  return spans;
}

function scanStreamOptions(scanner: JsonScanner, spans: Spans, twice: string[]): void {
  scanner.enterObject();
  for (let key = scanner.nextKey(optionKeys); key !== JsonScanner.end; key = scanner.nextKey(optionKeys)) {
    const start = scanner.pos;
    scanner.skip();
    if (key !== JsonScanner.other && !put(spans, usageOption, { start, end: scanner.pos })) twice.push(usageOption);
  }
}

function put(spans: Spans, name: string, span: Span): boolean {
  if (spans[name] !== undefined) return false;
  spans[name] = span;
  return true;
}

/** Bytes that are not JSON at all are `invalid_json`; JSON that is something else is a wrong type. */
function notAnObject(scanner: JsonScanner): GatewayError {
  if (scanner.peek() < 0) return new GatewayError("invalid_json", "The body is empty.", { hint: "Send a JSON object." });
  scanner.skip();
  scanner.finish();
  return invalid("", "must be a JSON object");
}

function readModel(bytes: Uint8Array, span: Span | undefined): string {
  if (span === undefined || isNull(bytes, span)) throw invalid("model", "is missing");
  if (bytes[span.start] !== 0x22) throw invalid("model", "must be a string");
  const model = JSON.parse(fromUtf8(bytes.subarray(span.start, span.end))) as string;
  if (model === "") throw invalid("model", "must not be empty");
  return model;
}

function readBoolean(bytes: Uint8Array, spans: Spans, name: string): boolean {
  const span = spans[name];
  if (span === undefined || isNull(bytes, span)) return false;
  const first = bytes[span.start];
  if (first !== 0x74 && first !== 0x66) throw invalid(name, "must be true or false");
  return first === 0x74;
}

/** When both fields are there the larger one counts: a limit must hold whichever of them the vendor obeys. */
function readMaxTokens(bytes: Uint8Array, spans: Spans): number | undefined {
  const limits = ["max_completion_tokens", "max_tokens"].map((name) => readInteger(bytes, spans[name], name));
  return limits.reduce((most, limit) => (most === undefined || (limit !== undefined && limit > most) ? limit : most), undefined);
}

function readInteger(bytes: Uint8Array, span: Span | undefined, name: string): number | undefined {
  if (span === undefined || isNull(bytes, span)) return undefined;
  const value = JSON.parse(fromUtf8(bytes.subarray(span.start, span.end))) as unknown;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(name, "must be a whole number of 0 or more");
}

function isNull(bytes: Uint8Array, span: Span): boolean {
  return bytes[span.start] === 0x6e;
}
