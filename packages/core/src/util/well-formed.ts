/** ES2024, and in every runtime that we support; the library types are of ES2023. */
type Es2024 = { isWellFormed(): boolean; toWellFormed(): string };

/** Whether it holds no half of a surrogate pair: only such text has a UTF-8 form, and can be stored. */
export function isWellFormed(text: string): boolean {
  return (text as string & Es2024).isWellFormed();
}
/** The text with U+FFFD for each half of a surrogate pair. */
export function toWellFormed(text: string): string {
  return (text as string & Es2024).toWellFormed();
}
/** A JSON value with U+FFFD for each half of a surrogate pair in its texts and names; the value itself when there is none. Errors: a cycle is a `RangeError`. */
export function toWellFormedJson<T>(value: T): T {
  return isWellFormedJson(value) ? value : (mend(value) as T);
}
/** Nearly every value is: it is walked and nothing is made of it. */
function isWellFormedJson(value: unknown): boolean {
  if (typeof value === "string") return isWellFormed(value);
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isWellFormedJson(value[i])) return false;
    return true;
  }
  for (const name in value) if (!isWellFormed(name) || !isWellFormedJson((value as Readonly<Record<string, unknown>>)[name])) return false;
  return true;
}
function mend(value: unknown): unknown {
  if (typeof value === "string") return isWellFormed(value) ? value : toWellFormed(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(mend);
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  const entries = Object.entries(value);
  const mended = entries.map(([name, inner]) => [toWellFormed(name), mend(inner)] as const);
  return mended.some(([name, inner], i) => name !== entries[i]![0] || inner !== entries[i]![1]) ? Object.fromEntries(mended) : value;
}
/** At most `maxLength` UTF-16 units of it, well-formed: a pair at the cut is left out whole. */
export function cutText(text: string, maxLength: number): string {
  const last = text.charCodeAt(maxLength - 1);
  const splits = text.length > maxLength && last >= 0xd800 && last < 0xdc00;
  return toWellFormed(text.length <= maxLength ? text : text.slice(0, splits ? maxLength - 1 : maxLength));
}
