// Both servers check what a json column is given, and refuse some of what JSON allows: a lone surrogate's escape, and what is nested deeper than 31 (MariaDB) or 100
// (MySQL). MySQL also counts with its own numbers. Such a text is kept as one JSON string behind a mark.

const MARK = "sallyport-json:";
const MARKED = `"${MARK}`;
const DEEPEST = 30;
const loneSurrogate = /\\u[dD][89a-fA-F]/;

function isDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (inString) {
      if (unit === 92) i++;
      else if (unit === 34) inString = false;
    } else if (unit === 34) inString = true;
    else if (unit === 91 || unit === 123) {
      if (++depth > DEEPEST) return true;
    } else if (unit === 93 || unit === 125) depth--;
  }
  return false;
}

/** The text as a json column takes it. */
export function storedJson(text: string): string {
  const strange = text.startsWith(MARKED) || loneSurrogate.test(text) || (text.length > DEEPEST * 2 && isDeep(text));
  return strange ? JSON.stringify(MARK + text) : text;
}

/** The text as it was, from what a json column gives. */
export function givenJson(stored: string): string {
  return stored.startsWith(MARKED) ? (JSON.parse(stored) as string).slice(MARK.length) : stored;
}
