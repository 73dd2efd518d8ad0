import type { MediaPart } from "../../../calls/index.js";
import { asExtras, ownExtras, saidFields, textOf, type Json } from "../extras.js";

const imageType = "image_generation_call";

/** A picture that the vendor made; null when the item has none (yet). */
export function decodeImage(item: Json): MediaPart | null {
  const { type, result, status: _status, ...own } = item;
  const data = textOf(result);
  if (type !== imageType || data === undefined) return null;
  return {
    type: "media",
    mediaType: typeOf(own["output_format"], data),
    source: { kind: "base64", data },
    ...asExtras({ item: saidFields(own) }),
  };
}

/** What the item says, or the first bytes of the picture; PNG is what the vendor makes when nobody asks for another. */
function typeOf(format: unknown, data: string): string {
  if (typeof format === "string") return `image/${format}`;
  if (data.startsWith("/9j/")) return "image/jpeg";
  return data.startsWith("UklGR") ? "image/webp" : "image/png";
}

export function encodeImage(
  part: { readonly mediaType: string; readonly extras?: MediaPart["extras"] },
  o: { id: string; data: string },
): Json {
  const { item } = ownExtras(part);
  const format = part.mediaType.slice("image/".length);
  const own = (item as Json | undefined) ?? (format === "png" ? {} : { output_format: format });
  return { id: o.id, ...own, type: imageType, status: "completed", result: o.data };
}
