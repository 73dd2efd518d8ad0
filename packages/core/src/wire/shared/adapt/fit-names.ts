/**
 * For each name that does not match `pattern`, another one that does; names that match are theirs alone. A made name holds as much of the given one as fits and a
 * hash of all of it, so that it is the same in every call, whatever stands beside it. Errors: `Error` when no name at all matches the pattern.
 */
export function fitNames(names: Iterable<string>, pattern: RegExp): ReadonlyMap<string, string> {
  const all = new Set(names);
  const taken = new Set([...all].filter((name) => pattern.test(name)));
  const fitted = new Map<string, string>();
  for (const name of all) {
    if (taken.has(name)) continue;
    let made = fit(name, pattern);
    // Two names with one hash: nothing that happens, but a caller may try.
    for (let i = 2; taken.has(made); i++) made = fit(`${name}#${i}`, pattern);
    taken.add(made);
    fitted.set(name, made);
  }
  return fitted;
}

/** How much of the name itself is kept, the longest that fits: patterns say their limits in a form that cannot be asked. */
const keptLengths = [52, 40, 27, 16, 0];
/** Digits of a hash of 53 bits in base 36. */
const hashLength = 11;

function fit(name: string, pattern: RegExp): string {
  const plain = name.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^[^A-Za-z]+/, "");
  const hash = hashOf(name);
  for (const length of keptLengths) {
    const made = `${plain.slice(0, length) || "x"}_${hash}`;
    if (pattern.test(made)) return made;
  }
  // Some want an exact number of letters and digits.
  for (let length = hashLength; length > 4; length--) {
    const made = hash.padStart(hashLength, "0").slice(-length);
    if (pattern.test(made)) return made;
  }
  throw new Error(`no name matches ${pattern}`);
}

/** 53 bits of the text in base 36 (cyrb53, public domain): short, the same everywhere, and no secret is kept by it. */
function hashOf(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}
