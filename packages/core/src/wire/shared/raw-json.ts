import { ByteWord } from "../../util/encoding/byte-word.js";
import { JsonScanner, KeyTable } from "../../util/json-scanner.js";
import { fromUtf8 } from "../../util/json.js";

/** JSON that stands in a body as it is: arguments of a tool are text to us, so that no number loses digits and no key its place. */
export class RawJson {
  constructor(readonly text: string) {}
}

/** `JSON.stringify` for plain values that may hold `RawJson`; members that are undefined are left out. */
export function jsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (!holdsRaw(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((element) => (element === undefined ? "null" : jsonText(element))).join(",")}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) if (member !== undefined) members.push(`${JSON.stringify(key)}:${jsonText(member)}`);
  return `{${members.join(",")}}`;
}

/** What holds none is written by the engine, in a fifth of the time. */
function holdsRaw(value: object): boolean {
  if (value instanceof RawJson) return true;
  if (Array.isArray(value)) {
    for (const element of value as readonly unknown[])
      if (typeof element === "object" && element !== null && holdsRaw(element)) return true;
    return false;
  }
  for (const key in value) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (typeof member === "object" && member !== null && holdsRaw(member)) return true;
  }
  return false;
}

const anEscape = new ByteWord("\\u");
const wordsOfKeys = new Map<string, ByteWord>();
/** Whether the key may stand in the bytes; one that is written with escapes may as well. The keys are ours, and few. */
function mayName(bytes: Uint8Array, key: string): boolean {
  let word = wordsOfKeys.get(key);
  if (word === undefined) wordsOfKeys.set(key, (word = new ByteWord(`"${key}"`)));
  return word.isIn(bytes) || anEscape.isIn(bytes);
}

const NOTHING: ReadonlyMap<string, string> = new Map();

/**
 * The JSON texts that stand at `path`, by their places in the lists that `*` goes through: `["messages", "*", "content", "*", "input"]` gives "0.2" for the third part
 * of the first message. What is of another kind than the path expects is passed over. Of a key that stands twice the last counts, as for every parser.
 * Errors: `invalid_json`; bytes that name nothing of the kind are not walked.
 */
export function rawJsonAt(bytes: Uint8Array, path: readonly string[]): ReadonlyMap<string, string> {
  const named = path.findLast((step) => step !== "*");
  if (named !== undefined && !mayName(bytes, named)) return NOTHING;
  const found = new Map<string, string>();
  const steps = path.map((step) => (step === "*" ? null : new KeyTable([step])));
  const scanner = new JsonScanner(bytes);
  const walk = (depth: number, place: string): void => {
    const first = scanner.peek();
    const step = steps[depth];
    if (step === undefined) {
      const start = scanner.pos;
      scanner.skip();
      found.set(place, fromUtf8(bytes.subarray(start, scanner.pos)));
    } else if (step === null && first === 0x5b) {
      scanner.enterArray();
      for (let i = 0; scanner.nextElement(); i++) walk(depth + 1, place === "" ? String(i) : `${place}.${i}`);
    } else if (step !== null && first === 0x7b) {
      scanner.enterObject();
      for (let key = scanner.nextKey(step); key !== JsonScanner.end; key = scanner.nextKey(step)) {
        if (key === JsonScanner.other) scanner.skip();
        else walk(depth + 1, place);
      }
    } else scanner.skip();
  };
  walk(0, "");
  scanner.finish();
  return found;
}
