import { JsonScanner, KeyTable } from "../../util/json-scanner.js";

/** Where a JSON value stands in the bytes; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
/** A value that the plan goes into or passes by, with its members or elements when it is a container that the plan opens. */
export interface JsonNode extends Span {
  /** The member's key, when the plan names it; otherwise empty, as for elements and the root. */
  readonly key: string;
  /** Of the key's opening quote; the same as `start` for elements and the root. */
  readonly keyStart: number;
  readonly kids: readonly JsonNode[] | null;
}
/** Which containers to open: by key, `*` for every element of an array. Other members of an opened object are noted without their key; all else is only checked. */
export interface ScanPlan {
  readonly table: KeyTable;
  /** In the table's order; empty for a value that is named but not opened. */
  readonly inner: readonly ScanPlan[];
  readonly elements: ScanPlan | null;
}
export interface PlanSource {
  readonly [key: string]: PlanSource;
}

export function scanPlan(source: PlanSource): ScanPlan {
  const { "*": elements, ...members } = source;
  return {
    table: new KeyTable(Object.keys(members)),
    inner: Object.values(members).map((inner) => scanPlan(inner)),
    elements: elements === undefined ? null : scanPlan(elements),
  };
}

/**
 * One pass over JSON text: checks that all of it is valid and notes where the values stand that the plan names. No value is built, so whatever is not named can be
 * forwarded exactly as it came: large numbers, key order, unknown members.
 * Errors: `invalid_json`.
 */
export function scanJson(bytes: Uint8Array, plan: ScanPlan): JsonNode {
  return scan(new JsonScanner(bytes), bytes, plan);
}

/** The same of text that may be nested as deep as it likes where the plan opens nothing. `deepAt`: where values begin that are deeper than `scanJson` takes, in the order of the text. */
export function scanDeepJson(bytes: Uint8Array, plan: ScanPlan): { readonly root: JsonNode; readonly deepAt: readonly number[] } {
  const scanner = new JsonScanner(bytes, { walksDeep: true });
  return { root: scan(scanner, bytes, plan), deepAt: scanner.deepAt };
}

function scan(scanner: JsonScanner, bytes: Uint8Array, plan: ScanPlan): JsonNode {
  const first = scanner.peek();
  const root = open({ scanner, bytes }, plan, { first, key: "", keyStart: scanner.pos });
  scanner.finish();
  return root;
}

interface Source {
  readonly scanner: JsonScanner;
  readonly bytes: Uint8Array;
}

/** The scanner stands at the value's first byte. */
function open(source: Source, plan: ScanPlan, o: { readonly first: number; readonly key: string; readonly keyStart: number }): JsonNode {
  const { scanner } = source;
  const start = scanner.pos;
  let kids: JsonNode[] | null = null;
  if (o.first === 0x7b && plan.inner.length > 0) kids = members(source, plan);
  else if (o.first === 0x5b && plan.elements !== null) kids = elements(source, plan.elements);
  else scanner.skip();
  return { key: o.key, keyStart: o.keyStart, start, end: scanner.pos, kids };
}

function members(source: Source, plan: ScanPlan): JsonNode[] {
  const { scanner, bytes } = source;
  const kids: JsonNode[] = [];
  scanner.enterObject();
  for (;;) {
    const from = scanner.pos;
    const index = scanner.nextKey(plan.table);
    if (index === JsonScanner.end) return kids;
    const keyStart = bytes.indexOf(0x22, from);
    const start = scanner.pos;
    const inner = plan.inner[index];
    if (inner === undefined) {
      scanner.skip();
      kids.push({ key: "", keyStart, start, end: scanner.pos, kids: null });
    } else kids.push(open(source, inner, { first: bytes[start] ?? -1, key: plan.table.names[index]!, keyStart }));
  }
}

function elements(source: Source, plan: ScanPlan): JsonNode[] {
  const { scanner, bytes } = source;
  const kids: JsonNode[] = [];
  scanner.enterArray();
  while (scanner.nextElement()) kids.push(open(source, plan, { first: bytes[scanner.pos] ?? -1, key: "", keyStart: scanner.pos }));
  return kids;
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** The string whose quotes stand at `start` and `end - 1`; the bytes were scanned before. */
export function stringAt(bytes: Uint8Array, start: number, end: number): string {
  // Names and methods are short and plain: building them here is several times as fast as a decoder.
  if (end - start < 64) {
    let text = "";
    let at = start + 1;
    for (; at < end - 1; at++) {
      const c = bytes[at]!;
      if (c > 0x7e || c === 0x5c) break;
      text += String.fromCharCode(c);
    }
    if (at === end - 1) return text;
  }
  return JSON.parse(lenient.decode(bytes.subarray(start, end))) as string;
}

/** The text of a span, as it stands. */
export function textAt(bytes: Uint8Array, span: Span): string {
  return lenient.decode(bytes.subarray(span.start, span.end));
}
