import type { Json, JsonObject } from "../../calls/index.js";
import { isObject } from "../../util/json.js";
import { JsonScanner, KeyTable } from "../../util/json-scanner.js";
import { textAt } from "./json-scan.js";
import { keyAt } from "./message.js";

/**
 * JSON text that says `value`, and stands as `bytes` stood wherever that said the same: numbers of any length, the order of keys, escapes. What is new in an object comes last. An object that names a
 * key twice is written anew, so that nobody reads another value than the one that was looked at. Null: `bytes` say it already.
 * Errors: `invalid_json`.
 */
export function changedText(bytes: Uint8Array, value: Json): string | null {
  const scanner = new JsonScanner(bytes);
  const text = new Retelling(scanner, bytes).value(value);
  scanner.finish();
  return text;
}

const NO_KEYS = new KeyTable([]);

class Retelling {
  readonly #scanner: JsonScanner;
  readonly #bytes: Uint8Array;
  constructor(scanner: JsonScanner, bytes: Uint8Array) {
    this.#scanner = scanner;
    this.#bytes = bytes;
  }

  /** The next value; null: as it stands. `undefined`: there is none any more. */
  value(value: Json | undefined): string | null {
    const first = this.#scanner.peek();
    if (first === 0x7b && isObject(value)) return this.#object(value as JsonObject);
    if (first === 0x5b && Array.isArray(value)) return this.#list(value as readonly Json[]);
    const said = this.#skipped();
    return value !== undefined && JSON.parse(said) === value ? null : written(value);
  }

  #object(value: JsonObject): string | null {
    const members: string[] = [];
    const seen = new Set<string>();
    let isChanged = false;
    let isDoubled = false;
    this.#scanner.enterObject();
    for (let from = this.#scanner.pos; this.#scanner.nextKey(NO_KEYS) !== JsonScanner.end; from = this.#scanner.pos) {
      const start = this.#scanner.pos;
      const keyStart = this.#bytes.indexOf(0x22, from);
      const key = keyAt(this.#bytes, { key: "", keyStart, start, end: start, kids: null });
      if (seen.has(key)) isDoubled = true;
      seen.add(key);
      const now = Object.hasOwn(value, key) ? value[key] : undefined;
      const changed = this.value(now);
      if (changed !== null || now === undefined) isChanged = true;
      const name = textAt(this.#bytes, { start: keyStart, end: start });
      if (now !== undefined) members.push(name + (changed ?? textAt(this.#bytes, { start, end: this.#scanner.pos })));
    }
    if (isDoubled) return JSON.stringify(value);
    for (const [key, added] of Object.entries(value)) {
      if (seen.has(key) || added === undefined) continue;
      isChanged = true;
      members.push(`${JSON.stringify(key)}:${JSON.stringify(added)}`);
    }
    return isChanged ? `{${members.join(",")}}` : null;
  }

  #list(value: readonly Json[]): string | null {
    const elements: string[] = [];
    let isChanged = false;
    let at = 0;
    this.#scanner.enterArray();
    for (; this.#scanner.nextElement(); at++) {
      const start = this.#scanner.pos;
      const changed = this.value(value[at]);
      if (changed !== null || at >= value.length) isChanged = true;
      if (at < value.length) elements.push(changed ?? textAt(this.#bytes, { start, end: this.#scanner.pos }));
    }
    if (value.length > at) isChanged = true;
    elements.push(...value.slice(at).map(written));
    return isChanged ? `[${elements.join(",")}]` : null;
  }

  #skipped(): string {
    const { pos: start } = this.#scanner;
    this.#scanner.skip();
    return textAt(this.#bytes, { start, end: this.#scanner.pos });
  }
}

/** As JSON has it: what has no text is null. */
function written(value: Json | undefined): string {
  return JSON.stringify(value ?? null);
}
