import type { MediaPart, TextPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { dataUrl, readDataUrl } from "../../shared/data-url.js";
import { Fields, invalid, unsupported } from "../../shared/fields.js";
import { cacheOf, markOf, type Marking } from "../cache-marks.js";
import { asExtras } from "../extras.js";

/** The formats of `input_audio` and what they are called elsewhere. */
const audioTypes: Readonly<Record<string, string>> = { wav: "audio/wav", mp3: "audio/mpeg" };
const audioFormats: Readonly<Record<string, string>> = {
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
};

/** A message's `content`: a text is one text part. */
export function decodeContent(fields: Fields): (TextPart | MediaPart)[] {
  const content = fields.raw("content");
  if (typeof content === "string") return [{ type: "text", text: content }];
  return contentList(fields).map((part, i) => decodePart(new Fields(part, `${fields.path("content")}[${i}]`)));
}

/** The same where only text may stand. */
export function decodeText(fields: Fields): TextPart[] {
  return decodeContent(fields).map((part, i) => {
    if (part.type === "text") return part;
    throw invalid(`${fields.path("content")}[${i}].type`, 'must be "text" in a message of this role');
  });
}

/** The parts of a `content` that is a list. */
export function contentList(fields: Fields): readonly unknown[] {
  const content = fields.raw("content");
  if (content === undefined || content === null) throw invalid(fields.path("content"), "is missing");
  if (!Array.isArray(content)) throw invalid(fields.path("content"), "must be a string or a list of parts");
  return content;
}

function decodePart(part: Fields): TextPart | MediaPart {
  const type = part.string("type");
  switch (type) {
    case "text":
      return decodeTextPart(part);
    case "image_url":
      return decodeImage(part);
    case "input_audio":
      return decodeAudio(part);
    case "file":
      return decodeFile(part);
    default:
      throw unsupported(part.path("type"), `names "${type.slice(0, 40)}", a kind of content that cannot be translated`);
  }
}

export function decodeTextPart(part: Fields): TextPart {
  part.raw("type");
  return { type: "text", text: part.string("text"), ...markedExtras(part) };
}

/** What else stands in a part, and the mark of a cache among it. */
function markedExtras(part: Fields, own: Record<string, unknown> = {}): Pick<TextPart, "cache" | "extras"> {
  const rest = part.rest();
  return { ...cacheOf(rest), ...asExtras({ ...rest, ...own }) };
}

function decodeImage(part: Fields): MediaPart {
  const image = part.fields("image_url");
  const url = image.string("url");
  const inline = readDataUrl(url);
  const detail = image.optionalString("detail");
  const own = { ...(detail === undefined ? {} : { detail }), ...markedExtras(part, { image_url: image.rest() }) };
  // What a data URL holds is sent back as an image only when it says that it is one.
  if (inline === null || !inline.mediaType.startsWith("image/"))
    return { type: "media", mediaType: "image/*", source: { kind: "url", url }, ...own };
  return { type: "media", mediaType: inline.mediaType, source: { kind: "base64", data: inline.data }, ...own };
}

function decodeAudio(part: Fields): MediaPart {
  const audio = part.fields("input_audio");
  const format = audio.string("format");
  const data = audio.string("data");
  const mediaType = audioTypes[format] ?? `audio/${format}`;
  return { type: "media", mediaType, source: { kind: "base64", data }, ...markedExtras(part, { input_audio: audio.rest() }) };
}

function decodeFile(part: Fields): MediaPart {
  const file = part.fields("file");
  const filename = file.optionalString("filename");
  const id = file.optionalString("file_id");
  const data = file.optionalString("file_data");
  const rest = { ...(filename === undefined ? {} : { filename }), ...markedExtras(part, { file: file.rest() }) };
  if (id !== undefined) return { type: "media", mediaType: "application/octet-stream", source: { kind: "file", id }, ...rest };
  if (data === undefined) throw invalid(part.path("file"), "needs file_id or file_data");
  const inline = readDataUrl(data) ?? { mediaType: typeByName(filename), data };
  return { type: "media", mediaType: inline.mediaType, source: { kind: "base64", data: inline.data }, ...rest };
}

/** Data without a media type is what its name says. */
function typeByName(filename: string | undefined): string {
  return filename?.toLowerCase().endsWith(".pdf") === true ? "application/pdf" : "application/octet-stream";
}

/** Text alone as a string, which every vendor takes; parts where there are several or one that carries more. */
export function encodeContent(parts: readonly (TextPart | MediaPart)[], path: string, marking: Marking): unknown {
  const encoded = parts.map((part, i) =>
    part.type === "text" ? encodeTextPart(part, `${path}[${i}]`, marking) : encodeMedia(part, `${path}[${i}]`, marking),
  );
  const only = encoded.length === 1 ? encoded[0] : undefined;
  return only?.["type"] === "text" && Object.keys(only).length === 2 ? only["text"] : encoded;
}

export function encodeTextPart(part: TextPart, path: string, marking: Marking): Record<string, unknown> {
  return { ...markOf(part, path, marking), type: "text", text: part.text };
}

export function encodeMedia(part: MediaPart, path: string, marking: Marking): Record<string, unknown> {
  const { source, mediaType } = part;
  const own = markOf(part, path, marking);
  if (mediaType.startsWith("image/") && source.kind !== "file") return encodeImage(part, own);
  if (source.kind === "url") throw unsupported(path, `is ${mediaType} by URL, which Chat Completions takes for images only`);
  if (source.kind === "base64" && mediaType.startsWith("audio/")) return encodeAudio({ mediaType, data: source.data }, own, path);
  if (mediaType.startsWith("video/")) throw unsupported(path, `is ${mediaType}, which Chat Completions has no part for`);
  const { file, ...extras } = own;
  const named = part.filename === undefined ? {} : { filename: part.filename };
  // The vendor wants a name with the bytes of a file.
  const held = source.kind === "file" ? { file_id: source.id } : { file_data: dataUrl(mediaType, source.data), filename: "file" };
  return { ...extras, type: "file", file: { ...asFields(file), ...held, ...named } };
}

/** Of a request as of an answer; `own` is what rides along. */
export function encodeImage({ source, mediaType, detail }: MediaPart, own: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { image_url: image, ...extras } = own;
  const url = source.kind === "base64" ? dataUrl(mediaType, source.data) : source.kind === "url" ? source.url : "";
  return { ...extras, type: "image_url", image_url: { ...asFields(image), url, ...(detail === undefined ? {} : { detail }) } };
}

function encodeAudio(
  { mediaType, data }: { readonly mediaType: string; readonly data: string },
  own: Record<string, unknown>,
  path: string,
): Record<string, unknown> {
  const { input_audio: audio, ...extras } = own;
  const format = audioFormats[mediaType] ?? dialectFormat(mediaType);
  if (format === undefined) throw unsupported(path, `is ${mediaType}, which Chat Completions has no name for`);
  return { ...extras, type: "input_audio", input_audio: { ...asFields(audio), data, format } };
}

function asFields(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** Compatible servers take more formats by their short names (`flac`, `ogg`). */
function dialectFormat(mediaType: string): string | undefined {
  return /^audio\/([a-z0-9]+)$/.exec(mediaType)?.[1];
}
