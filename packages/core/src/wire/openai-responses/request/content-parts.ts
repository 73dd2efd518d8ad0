import type { MediaPart, TextPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { dataUrl, readDataUrl } from "../../shared/data-url.js";
import { Fields, invalid, unsupported } from "../../shared/fields.js";
import { asExtras, ownExtras, type Json } from "../extras.js";
import type { Encoding } from "./encoding.js";

/** The formats of `input_audio` and what they are called elsewhere. */
const audioTypes: Readonly<Record<string, string>> = { wav: "audio/wav", mp3: "audio/mpeg" };

/** `content` of a message, or `output` of a tool: a text is one text part. */
export function decodeContent(fields: Fields, key: "content" | "output"): (TextPart | MediaPart)[] {
  return contentList(fields, key).map((part, i) =>
    typeof part === "string" ? { type: "text", text: part } : decodePart(new Fields(part, `${fields.path(key)}[${i}]`)),
  );
}

/** The same where only text may stand. */
export function decodeText(fields: Fields): TextPart[] {
  return decodeContent(fields, "content").map((part, i) => {
    if (part.type === "text") return part;
    throw invalid(`${fields.path("content")}[${i}].type`, 'must be "input_text" in a message of this role');
  });
}

/** The parts of a content; of one that is a text, that text alone. */
export function contentList(fields: Fields, key: "content" | "output"): readonly unknown[] {
  const content = fields.raw(key);
  if (typeof content === "string") return [content];
  if (content === undefined || content === null) throw invalid(fields.path(key), "is missing");
  if (!Array.isArray(content)) throw invalid(fields.path(key), "must be a string or a list of parts");
  return content;
}

function decodePart(part: Fields): TextPart | MediaPart {
  const type = part.string("type");
  switch (type) {
    case "input_text":
    case "output_text":
    case "text":
      return { type: "text", text: part.string("text"), ...marked(part), ...asExtras(part.rest()) };
    case "input_image":
      return decodeImage(part);
    case "input_file":
      return decodeFile(part);
    case "input_audio":
      return decodeAudio(part);
    default:
      throw unsupported(part.path("type"), `names "${type.slice(0, 40)}", a kind of content that cannot be translated`);
  }
}

/** The mark that what is before it may be cached; how long is said for the whole request. */
function marked(part: Fields): { cache?: TextPart["cache"] } {
  return part.optionalObject("prompt_cache_breakpoint") === undefined ? {} : { cache: {} };
}

function decodeImage(part: Fields): MediaPart {
  const url = part.optionalString("image_url");
  const id = part.optionalString("file_id");
  const detail = part.optionalString("detail");
  const close = detail === undefined || detail === "auto" ? {} : { detail };
  const own = { ...close, ...marked(part), ...asExtras(part.rest()) };
  if (url === undefined) {
    if (id === undefined) throw invalid(part.path("image_url"), "is missing, and so is file_id");
    return { type: "media", mediaType: "image/*", source: { kind: "file", id }, ...own };
  }
  const inline = readDataUrl(url);
  // What a data URL holds is sent back as an image only when it says that it is one.
  if (inline === null || !inline.mediaType.startsWith("image/"))
    return { type: "media", mediaType: "image/*", source: { kind: "url", url }, ...own };
  return { type: "media", mediaType: inline.mediaType, source: { kind: "base64", data: inline.data }, ...own };
}

function decodeFile(part: Fields): MediaPart {
  const filename = part.optionalString("filename");
  const [id, url, data] = ["file_id", "file_url", "file_data"].map((key) => part.optionalString(key));
  const own = { ...(filename === undefined ? {} : { filename }), ...marked(part), ...asExtras(part.rest()) };
  if (id !== undefined) return { type: "media", mediaType: "application/octet-stream", source: { kind: "file", id }, ...own };
  if (url !== undefined)
    return { type: "media", mediaType: typeByName(filename ?? url.split(/[?#]/, 1)[0]), source: { kind: "url", url }, ...own };
  if (data === undefined) throw invalid(part.path("file_data"), "is missing, and so are file_id and file_url");
  const inline = readDataUrl(data) ?? { mediaType: typeByName(filename), data };
  return { type: "media", mediaType: inline.mediaType, source: { kind: "base64", data: inline.data }, ...own };
}

/** What does not say its media type is what its name says. */
function typeByName(name: string | undefined): string {
  return name?.toLowerCase().endsWith(".pdf") === true ? "application/pdf" : "application/octet-stream";
}

function decodeAudio(part: Fields): MediaPart {
  const audio = part.fields("input_audio");
  const format = audio.string("format");
  const source = { kind: "base64" as const, data: audio.string("data") };
  const own = asExtras({ ...part.rest(), type: "input_audio", input_audio: { format, ...audio.rest() } });
  return { type: "media", mediaType: audioTypes[format] ?? `audio/${format}`, source, ...marked(part), ...own };
}

/** Text alone as a string, which every vendor takes; parts where there are several or one that carries more. */
export function encodeContent(parts: readonly (TextPart | MediaPart)[], path: string, encoding: Encoding): unknown {
  const list = parts.map((part, i) => encodePart(part, `${path}[${i}]`, encoding));
  const [only] = list;
  if (list.length === 0) return "";
  return list.length === 1 && only?.["type"] === "input_text" && Object.keys(only).length === 2 ? only["text"] : list;
}

function encodePart(part: TextPart | MediaPart, path: string, encoding: Encoding): Json {
  const mark = encoding.mark(part, path);
  if (part.type === "text") {
    const { item: _item, ...own } = ownExtras(part);
    return { ...own, type: "input_text", text: part.text, ...mark };
  }
  return { ...encodeMedia(part, path), ...mark };
}

function encodeMedia(part: MediaPart, path: string): Json {
  const { source, mediaType } = part;
  const { type, input_audio: audio, ...own } = ownExtras(part);
  if (mediaType.startsWith("image/")) {
    const image =
      source.kind === "file" ? { file_id: source.id } : { image_url: source.kind === "url" ? source.url : dataUrl(mediaType, source.data) };
    return { ...own, type: "input_image", ...image, detail: part.detail ?? "auto" };
  }
  // The protocol describes sound and its vendor refuses it: it goes to who was asked in this protocol's own words.
  if (type === "input_audio" && source.kind === "base64" && isObject(audio))
    return { ...own, type, input_audio: { ...audio, data: source.data } };
  if (/^(?:audio|video)\//.test(mediaType)) throw unsupported(path, `is ${mediaType}, which Responses does not take`);
  const named = part.filename === undefined ? {} : { filename: part.filename };
  if (source.kind === "file") return { ...own, type: "input_file", file_id: source.id, ...named };
  if (source.kind === "url") return { ...own, type: "input_file", file_url: source.url, ...named };
  // The vendor wants a name with the bytes of a file.
  const filename = mediaType === "application/pdf" ? "file.pdf" : "file";
  return { ...own, type: "input_file", filename, ...named, file_data: dataUrl(mediaType, source.data) };
}
