import { GatewayError } from "../../errors/index.js";
import { JsonScanner, type KeyTable } from "../../util/json-scanner.js";
import { fromUtf8 } from "../../util/json.js";
import { invalid } from "./fields.js";

/** Where a value stands in the bytes; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
export type Spans = Record<string, Span>;
/** Reads the members of an object that the head looks into as well; the scanner stands at it. */
export type NestedScan = (scanner: JsonScanner, put: (name: string, span: Span) => void) => void;

/**
 * The spans of the fields of `table` in a caller's body, in one pass, all of which is validated. `nested` reads the object of the field of its name, where it is one.
 * Errors: `invalid_json`; `validation_failed` for a body that is no object or a field of ours that stands twice, said only once all of it was seen to be JSON.
 */
export function scanSpans(bytes: Uint8Array, table: KeyTable, nested: Readonly<Record<string, NestedScan>> = {}): Spans {
  const scanner = new JsonScanner(bytes);
  const spans: Spans = {};
  const twice: string[] = [];
  const put = (name: string, span: Span) => {
    if (spans[name] === undefined) spans[name] = span;
    else twice.push(name);
  };
  if (scanner.peek() !== 0x7b) throw notAnObject(scanner);
  scanner.enterObject();
  for (let key = scanner.nextKey(table); key !== JsonScanner.end; key = scanner.nextKey(table)) {
    const name = key === JsonScanner.other ? undefined : (table.names[key] as string);
    const start = scanner.pos;
    const scan = name === undefined ? undefined : nested[name];
    if (scan !== undefined && scanner.peek() === 0x7b) scan(scanner, put);
    else scanner.skip();
    if (name !== undefined) put(name, { start, end: scanner.pos });
  }
  scanner.finish();
  const repeated = twice[0];
  if (repeated !== undefined) throw invalid(repeated, "stands twice");
  return spans;
}

/** Bytes that are not JSON at all are `invalid_json`; JSON that is something else is a wrong type. */
function notAnObject(scanner: JsonScanner): GatewayError {
  if (scanner.peek() < 0) return new GatewayError("invalid_json", "The body is empty.", { hint: "Send a JSON object." });
  scanner.skip();
  scanner.finish();
  return invalid("", "must be a JSON object");
}

/** The field "model": a text that says something. */
export function readModel(bytes: Uint8Array, spans: Spans): string {
  const span = spans["model"];
  if (span === undefined || isNull(bytes, span)) throw invalid("model", "is missing");
  if (bytes[span.start] !== 0x22) throw invalid("model", "must be a string");
  const model = JSON.parse(fromUtf8(bytes.subarray(span.start, span.end))) as string;
  if (model === "") throw invalid("model", "must not be empty");
  return model;
}

/** Absent and null are false. */
export function readBoolean(bytes: Uint8Array, spans: Spans, name: string): boolean {
  const span = spans[name];
  if (span === undefined || isNull(bytes, span)) return false;
  const first = bytes[span.start];
  if (first !== 0x74 && first !== 0x66) throw invalid(name, "must be true or false");
  return first === 0x74;
}

/** A whole number of 0 or more; absent and null are undefined. */
export function readInteger(bytes: Uint8Array, spans: Spans, name: string): number | undefined {
  const span = spans[name];
  if (span === undefined || isNull(bytes, span)) return undefined;
  const value = JSON.parse(fromUtf8(bytes.subarray(span.start, span.end))) as unknown;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(name, "must be a whole number of 0 or more");
}

export function isNull(bytes: Uint8Array, span: Span): boolean {
  return bytes[span.start] === 0x6e;
}
