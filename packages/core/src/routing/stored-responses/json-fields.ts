import { JsonScanner, type KeyTable } from "../../util/json-scanner.js";
import { fromUtf8, parseJson, utf8 } from "../../util/json.js";
import { invalid } from "../../wire/shared/fields.js";
import { spliceBytes, type Splice } from "../../wire/shared/splice-bytes.js";

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Some fields of one JSON object, where they stand in its bytes: read one by one, and replaced without touching any other byte.
 * Errors: `invalid_json`, `validation_failed` for something else than an object and for a field of the table that stands twice.
 */
export class JsonFields {
  readonly bytes: Uint8Array;
  readonly #spans = new Map<string, Span>();
  /** Just behind the opening bracket. */
  readonly #inside: number;
  readonly #isEmpty: boolean;

  constructor(bytes: Uint8Array, table: KeyTable) {
    this.bytes = bytes;
    const scanner = new JsonScanner(bytes);
    if (scanner.peek() !== 0x7b) {
      scanner.skip();
      scanner.finish();
      throw invalid("", "must be a JSON object");
    }
    scanner.enterObject();
    this.#inside = scanner.pos;
    const twice: string[] = [];
    let keys = 0;
    for (let key = scanner.nextKey(table); key !== JsonScanner.end; key = scanner.nextKey(table), keys++) {
      const start = scanner.pos;
      scanner.skip();
      if (key === JsonScanner.other) continue;
      const name = table.names[key]!;
      if (this.#spans.has(name)) twice.push(name);
      this.#spans.set(name, { start, end: scanner.pos });
    }
    scanner.finish();
    this.#isEmpty = keys === 0;
    if (twice[0] !== undefined) throw invalid(twice[0], "stands twice");
  }

  /** The bytes of a value as they stand; undefined: it is not there, or null. */
  raw(name: string): Uint8Array | undefined {
    const span = this.#spans.get(name);
    if (span === undefined || this.bytes[span.start] === 0x6e) return undefined;
    return this.bytes.subarray(span.start, span.end);
  }
  has(name: string): boolean {
    return this.#spans.has(name);
  }
  value(name: string): unknown {
    const raw = this.raw(name);
    return raw === undefined ? undefined : parseJson(raw);
  }
  /** Errors: `validation_failed` for something else than a text. */
  text(name: string): string | undefined {
    const raw = this.raw(name);
    if (raw === undefined) return undefined;
    if (raw[0] !== 0x22) throw invalid(name, "must be a string");
    return parseJson(raw) as string;
  }
  /** Errors: `validation_failed` for something else than true or false. */
  flag(name: string): boolean | undefined {
    const raw = this.raw(name);
    if (raw === undefined) return undefined;
    if (raw[0] !== 0x74 && raw[0] !== 0x66) throw invalid(name, "must be true or false");
    return raw[0] === 0x74;
  }

  /** The bytes with these fields replaced, or put in front; each a text of JSON. */
  with(changes: Readonly<Record<string, string>>): Uint8Array {
    const splices: Splice[] = [];
    let front = "";
    for (const [name, json] of Object.entries(changes)) {
      const span = this.#spans.get(name);
      if (span === undefined) front += `${JSON.stringify(name)}:${json},`;
      else splices.push({ ...span, bytes: utf8(json) });
    }
    if (front !== "" && this.#isEmpty) front = front.slice(0, -1);
    if (front !== "") splices.push({ start: this.#inside, end: this.#inside, bytes: utf8(front) });
    return spliceBytes(
      this.bytes,
      splices.sort((a, b) => a.start - b.start),
    );
  }

  /** The text of a value as it stands. */
  json(name: string): string | undefined {
    const raw = this.raw(name);
    return raw === undefined ? undefined : fromUtf8(raw);
  }
}
