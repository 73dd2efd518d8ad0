/** The text as a header can carry it: what is not printable ASCII, and spaces, are percent-encoded. For names that come from callers. */
export function headerSafe(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  let safe = "";
  for (const byte of new TextEncoder().encode(text))
    safe += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  return safe;
}
