import { parseJsonText } from "../../../util/json.js";

const TOKEN = /"(?:[^"\\]|\\[^])*"|-?\d[\d.eE+-]*/g;
/** Shorter numbers identify nobody. */
const SHORTEST_NUMBER = 6;

/** A place of a JSON text where a text stands: a string, a name, or a number of many digits. */
export interface JsonPlace {
  readonly start: number;
  readonly end: number;
  /** As it is meant: escapes undone. */
  readonly text: string;
  readonly isNumber: boolean;
}

/** The texts of a JSON text, with where they stand; null: it is no JSON. */
export function jsonPlaces(json: string): readonly JsonPlace[] | null {
  try {
    parseJsonText(json);
  } catch {
    return null;
  }
  const places: JsonPlace[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(json); match !== null; match = TOKEN.exec(json)) {
    const [token] = match;
    const isNumber = token[0] !== '"';
    if (isNumber && token.length < SHORTEST_NUMBER) continue;
    const text =
      isNumber || !token.includes("\\") ? token.slice(isNumber ? 0 : 1, isNumber ? undefined : -1) : (JSON.parse(token) as string);
    places.push({ start: match.index, end: match.index + token.length, text, isNumber });
  }
  return places;
}

/** The JSON text with other texts at these places; a number that changes becomes a string. All other bytes stay. */
export function withPlaces(json: string, places: readonly JsonPlace[], texts: readonly string[]): string {
  let out = "";
  let at = 0;
  for (const [i, place] of places.entries()) {
    const text = texts[i]!;
    if (text === place.text) continue;
    out += json.slice(at, place.start) + JSON.stringify(text);
    at = place.end;
  }
  return at === 0 ? json : out + json.slice(at);
}
