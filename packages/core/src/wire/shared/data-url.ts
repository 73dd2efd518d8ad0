/** A `data:` URL whose body is base64 (RFC 2397): the media type with its parameters, and the base64 text untouched; null for every other URL. */
export function readDataUrl(url: string): { readonly mediaType: string; readonly data: string } | null {
  if (!/^data:/i.test(url)) return null;
  const comma = url.indexOf(",");
  if (comma < 0) return null;
  const head = url.slice(5, comma);
  if (!/;base64$/i.test(head)) return null;
  return { mediaType: head.slice(0, -7), data: url.slice(comma + 1) };
}

export function dataUrl(mediaType: string, data: string): string {
  return `data:${mediaType};base64,${data}`;
}
