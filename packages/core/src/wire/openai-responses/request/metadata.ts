import type { ModelCall } from "../../../calls/index.js";
import type { Encoding } from "./encoding.js";

const maxPairs = 16;
const maxKeyChars = 64;
const maxValueChars = 512;

/** Metadata of another protocol within the bounds of this one, whose vendor refuses the request over any of them: texts, 16 at most, keys of 64 and values of 512 characters. */
export function encodeMetadata(metadata: ModelCall["metadata"], encoding: Encoding): Record<string, string> | undefined {
  if (metadata === undefined) return undefined;
  const out: [string, string][] = [];
  for (const [key, value] of Object.entries(metadata)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (key.length > maxKeyChars || out.length === maxPairs) {
      encoding.warn("metadata", `has more than the vendor takes: "${key.slice(0, maxKeyChars)}" was left out`);
      continue;
    }
    if (text.length > maxValueChars) encoding.warn(`metadata.${key}`, `was cut to ${maxValueChars} characters`);
    out.push([key, text.slice(0, maxValueChars)]);
  }
  return Object.fromEntries(out);
}
