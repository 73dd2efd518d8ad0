import type { MediaPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { decodeBase64 } from "../../shared/base64.js";
import { invalid, unsupported } from "../../shared/fields.js";
import { encodeCache, type Block } from "../cache-control.js";
import { messagesExtras } from "../extras.js";

/** Source: https://platform.claude.com/docs/en/build-with-claude/vision */
const imageTypes = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** A picture as an image, a PDF, a text or an uploaded file as a document. Errors: `unsupported_feature` for every other kind. */
export function encodeMedia(part: MediaPart, path: string): Block {
  const { cache_control: control, source: own, ...extras } = messagesExtras(part);
  const isImage = part.mediaType.startsWith("image/");
  const source = { ...(isObject(own) ? own : {}), ...(isImage ? imageSource(part, path) : documentSource(part, path)) };
  const title = isImage || part.filename === undefined ? {} : { title: part.filename };
  return { ...extras, type: isImage ? "image" : "document", source, ...title, ...encodeCache(part.cache, control) };
}

function imageSource({ source, mediaType }: MediaPart, path: string): Block {
  if (source.kind === "url") return { type: "url", url: source.url };
  if (source.kind === "file") return { type: "file", file_id: source.id };
  const type = mediaType === "image/jpg" ? "image/jpeg" : mediaType;
  if (!imageTypes.has(type)) throw unsupported(path, `is ${mediaType.slice(0, 60)}, and the vendor takes JPEG, PNG, GIF and WebP`);
  return { type: "base64", media_type: type, data: source.data };
}

function documentSource({ source, mediaType }: MediaPart, path: string): Block {
  const type = mediaType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (source.kind === "file" && !/^(?:audio|video)\//.test(type)) return { type: "file", file_id: source.id };
  if (source.kind === "url" && (type === "application/pdf" || type === "application/octet-stream")) return { type: "url", url: source.url };
  if (source.kind === "base64" && type === "application/pdf") return { type: "base64", media_type: type, data: source.data };
  // The protocol has one type for text, whatever the text is.
  if (source.kind === "base64" && (type.startsWith("text/") || type === "application/json"))
    return { type: "text", media_type: "text/plain", data: textOf(source.data, path) };
  throw unsupported(path, `is ${mediaType.slice(0, 60)}${source.kind === "url" ? " by URL" : ""}, which Messages has no block for`);
}

function textOf(data: string, path: string): string {
  try {
    return lenient.decode(decodeBase64(data));
  } catch {
    throw invalid(path, "is not valid base64");
  }
}
