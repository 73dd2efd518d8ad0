export interface JsonFault {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly what: string;
  readonly fix: string;
}

/** Thrown inside this file only, to leave the recursion. */
class Found extends Error {
  constructor(
    readonly at: number,
    readonly what: string,
    readonly fix: string,
  ) {
    super(what);
  }
}

const literals = ["true", "false", "null"];
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * The first place where a text is not the JSON that people mean, null when it is: says line and column without repeating the text, which may hold secrets.
 * Also finds what JSON.parse hides: a key that stands twice in one object.
 */
export function findJsonFault(text: string): JsonFault | null {
  try {
    const end = value(text, 0, 0);
    const rest = skip(text, end);
    if (rest < text.length) throw new Found(rest, "there is more after the end", "keep one object and remove the rest");
    return null;
  } catch (error) {
    if (!(error instanceof Found)) throw error;
    const before = text.slice(0, error.at).split("\n");
    return { line: before.length, column: (before[before.length - 1] as string).length + 1, what: error.what, fix: error.fix };
  }
}

function value(text: string, from: number, depth: number): number {
  const at = skip(text, from);
  if (depth > 64) throw new Found(at, "is nested too deep", "flatten it");
  const char = text[at];
  if (char === undefined) throw new Found(at, "the text ends too early", 'close every { [ and "');
  if (char === "{") return members(text, at, depth);
  if (char === "[") return items(text, at, depth);
  if (char === '"') return string(text, at);
  for (const literal of literals)
    if (text.startsWith(literal, at) && !/\w/.test(text[at + literal.length] ?? "")) return at + literal.length;
  number.lastIndex = at;
  const match = number.exec(text);
  if (match !== null && match[0] !== "") return at + match[0].length;
  if (char === "'") throw new Found(at, "text in single quotes", 'use double quotes: "…"');
  throw new Found(at, "a value was expected", "write text in double quotes, or a number, true, false, null, { } or [ ]");
}

function members(text: string, open: number, depth: number): number {
  const keys = new Set<string>();
  let at = skip(text, open + 1);
  if (text[at] === "}") return at + 1;
  for (;;) {
    if (text[at] !== '"') throw key(text, at);
    const end = string(text, at);
    const name = JSON.parse(text.slice(at, end)) as string;
    if (keys.has(name)) throw new Found(at, `the key ${JSON.stringify(name)} stands twice in one object`, "keep one of them");
    keys.add(name);
    const colon = skip(text, end);
    if (text[colon] !== ":") throw new Found(colon, 'a ":" was expected after the key', 'write "key": value');
    at = skip(text, value(text, colon + 1, depth + 1));
    if (text[at] === "}") return at + 1;
    if (text[at] !== ",") throw separator(text, at, "}");
    at = skip(text, at + 1);
    if (text[at] === "}") throw new Found(at, 'a comma stands before "}"', "remove the comma");
  }
}

function items(text: string, open: number, depth: number): number {
  let at = skip(text, open + 1);
  if (text[at] === "]") return at + 1;
  for (;;) {
    at = skip(text, value(text, at, depth + 1));
    if (text[at] === "]") return at + 1;
    if (text[at] !== ",") throw separator(text, at, "]");
    at = skip(text, at + 1);
    if (text[at] === "]") throw new Found(at, 'a comma stands before "]"', "remove the comma");
  }
}

function key(text: string, at: number): Found {
  if (at >= text.length) return new Found(at, "the text ends too early", 'close the "{"');
  return new Found(at, "a key in double quotes was expected", 'write "key": value');
}

function separator(text: string, at: number, close: string): Found {
  if (at >= text.length) return new Found(at, "the text ends too early", `close it with "${close}"`);
  return new Found(at, `"," or "${close}" was expected`, "is a comma missing at the end of the line before?");
}

function string(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) throw new Found(at, "a line break or control character inside text", 'close the text with ", or write \\n');
    if (code !== 0x5c) continue;
    const escape = text[at + 1];
    const valid =
      escape === "u" ? /^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6)) : escape !== undefined && '"\\/bfnrt'.includes(escape);
    if (!valid) throw new Found(at, "a backslash that JSON does not know", "write \\\\ for a plain backslash");
    at += escape === "u" ? 5 : 1;
  }
  throw new Found(open, "text that is never closed", 'add the closing "');
}

/** Past blanks. A comment is a fault of its own: it is what people write first. */
function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\n\r".includes(text[at] as string)) at++;
  if (text[at] === "/" && (text[at + 1] === "/" || text[at + 1] === "*"))
    throw new Found(at, "a comment, which JSON does not have", "remove it");
  return at;
}
