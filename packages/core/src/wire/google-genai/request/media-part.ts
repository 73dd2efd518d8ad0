import type { MediaPart } from "../../../calls/index.js";
import type { Fields } from "../../shared/fields.js";
import { asExtras, googleExtras, said } from "../extras.js";
import { fieldsOf } from "../proto-json.js";

type Own = Readonly<Record<string, unknown>>;

/** Where files are that were uploaded to Google: no one else can read them. */
const uploaded = /^(?:gs:\/\/|files\/|https:\/\/[a-z-]*generativelanguage\.googleapis\.com\/)/i;

/** Types by the end of an address, for pictures of which only the address is known. */
const typesByEnding: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  heic: "image/heic",
  heif: "image/heif",
  pdf: "application/pdf",
};

/** `inlineData` or `fileData` of a caller's part, of which `part` is the rest; null when it has neither. */
export function decodeMedia(part: Fields): MediaPart | null {
  const inline = fieldsOf(part, "inlineData");
  if (inline !== undefined) {
    const mediaType = inline.optionalString("mimeType") ?? "application/octet-stream";
    const data = inline.string("data");
    return {
      type: "media",
      mediaType,
      source: { kind: "base64", data },
      ...named(inline),
      ...ownOf(part, { inlineData: said(inline.rest()) }),
    };
  }
  const file = fieldsOf(part, "fileData");
  if (file === undefined) return null;
  const uri = file.string("fileUri");
  const mediaType = file.optionalString("mimeType") ?? typeByEnding(uri) ?? "application/octet-stream";
  const source = uploaded.test(uri) ? ({ kind: "file", id: uri } as const) : ({ kind: "url", url: uri } as const);
  return { type: "media", mediaType, source, ...named(file), ...ownOf(part, { fileData: said(file.rest()) }) };
}

function named(data: Fields): { filename?: string } {
  const filename = data.optionalString("displayName");
  return filename === undefined ? {} : { filename };
}
function ownOf(part: Fields, own: Own): ReturnType<typeof asExtras> {
  return asExtras({ ...part.rest(), ...own });
}

/** A part of Google's for bytes, an address or a file. What is no whole media type is left out, as Google reads it from the data. */
export function encodeMedia(part: MediaPart): Record<string, unknown> {
  const { inlineData, fileData, ...own } = googleExtras(part);
  const { source, mediaType, filename } = part;
  const displayName = filename === undefined ? {} : { displayName: filename };
  if (source.kind === "base64")
    return { ...own, inlineData: { ...(inlineData as Own | undefined), mimeType: mediaType, data: source.data, ...displayName } };
  const fileUri = source.kind === "url" ? source.url : source.id;
  const exact = mediaType.includes("*") || mediaType === "application/octet-stream" ? typeByEnding(fileUri) : mediaType;
  return {
    ...own,
    fileData: { ...(fileData as Own | undefined), ...(exact === undefined ? {} : { mimeType: exact }), fileUri, ...displayName },
  };
}

function typeByEnding(uri: string): string | undefined {
  const ending = /\.([a-z0-9]{2,5})(?:[?#]|$)/i.exec(uri)?.[1]?.toLowerCase();
  return ending !== undefined && Object.hasOwn(typesByEnding, ending) ? typesByEnding[ending] : undefined;
}
