import { JsonScanner, KeyTable } from "../../util/json-scanner.js";
import { fromUtf8 } from "../../util/json.js";

/** JSON that stands in a body as it is: arguments of a tool are text to us, so that no number loses digits and no key its place. */
export class RawJson {
  constructor(readonly text: string) {}
}

/** `JSON.stringify` for plain values that may hold `RawJson`; members that are undefined are left out. */
export function jsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map((element) => (element === undefined ? "null" : jsonText(element))).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) if (member !== undefined) members.push(`${JSON.stringify(key)}:${jsonText(member)}`);
  return `{${members.join(",")}}`;
}

/**
 * The JSON texts that stand at `path`, by their places in the lists that `*` goes through: `["messages", "*", "content", "*", "input"]` gives "0.2" for the third part
 * of the first message. What is of another kind than the path expects is passed over. Of a key that stands twice the last counts, as for every parser.
 * Errors: `invalid_json`.
 */
export function rawJsonAt(bytes: Uint8Array, path: readonly string[]): ReadonlyMap<string, string> {
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
