/** One base64 text of several that were encoded apart, as streamed sound is: padding may stand only at the very end. */
export function joinBase64(parts: readonly string[]): string {
  if (parts.slice(0, -1).every((part) => part.length % 4 === 0 && !part.endsWith("="))) return parts.join("");
  return btoa(parts.map((part) => atob(part)).join(""));
}
