import type { MediaPart, TextPart, ToolResultPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { unsupported, type Fields } from "../../shared/fields.js";
import { RawJson } from "../../shared/raw-json.js";
import { asExtras, googleExtras, said } from "../extras.js";
import { googleFields } from "../proto-json.js";
import { decodeMedia, encodeMedia } from "./media-part.js";
import { isObjectText, memberText } from "./part-texts.js";

/** The calls of a conversation that have no result yet. Google's ids are optional: a call without one gets an id of its place, and its result is found by the name. */
export class OpenCalls {
  readonly #open: { readonly id: string; readonly name: string }[] = [];

  /** The id that the call has from now on. */
  add(name: string, given: string | undefined, place: string): string {
    const id = given ?? `call_${place.replace(".", "_")}`;
    this.#open.push({ id, name });
    return id;
  }

  /** The call that a result belongs to, which is then answered. */
  take(name: string | undefined, id: string | undefined): { readonly id: string; readonly name: string } | undefined {
    const at = this.#open.findIndex((call) => (id === undefined ? call.name === name : call.id === id));
    return at < 0 ? undefined : this.#open.splice(at, 1)[0];
  }
}

/** What a function gave. Of `{output}` and `{error}` the value is the content; any other object is it as a whole. A text stays a text, all else is its JSON. */
export function decodeResult(
  part: Fields,
  response: Fields,
  o: { readonly text: string | undefined; readonly place: string; readonly calls: OpenCalls },
): ToolResultPart {
  const name = response.optionalString("name");
  const given = response.optionalString("id");
  const call = o.calls.take(name, given === "" ? undefined : given);
  const read = readResponse(response.optionalObject("response") ?? {}, o.text ?? "{}");
  const media = (response.optionalList("parts") ?? []).map((value, i) => decodeResultPart(value, `${response.path("parts")}[${i}]`));
  const own = {
    ...part.rest(),
    functionResponse: said(response.rest()),
    name: call === undefined || call.name !== name ? name : undefined,
  };
  return {
    type: "tool-result",
    callId: call?.id ?? given ?? `call_${o.place.replace(".", "_")}`,
    content: [{ type: "text", text: read.text }, ...media],
    ...(read.isError ? { isError: true } : {}),
    ...asExtras(own),
  };
}

function readResponse(response: Record<string, unknown>, text: string): { readonly text: string; readonly isError: boolean } {
  const [key, ...others] = Object.keys(response);
  if (others.length > 0 || (key !== "output" && key !== "error")) return { text, isError: false };
  const value = response[key];
  return { text: typeof value === "string" ? value : (memberText(text, key) ?? JSON.stringify(value)), isError: key === "error" };
}

function decodeResultPart(value: unknown, path: string): MediaPart {
  const media = decodeMedia(googleFields(value, path));
  if (media === null) throw unsupported(path, "is neither inlineData nor fileData");
  return media;
}

/**
 * `functionResponse` of a result. Google takes an object: a text that is one stands as it is, unless Google would read its members as `output` and `error`.
 * Source: https://ai.google.dev/api/caching#FunctionResponse.
 */
export function encodeResult(result: ToolResultPart, name: string): Record<string, unknown> {
  const { functionResponse, name: _name, ...own } = googleExtras(result);
  const texts = result.content.filter((part): part is TextPart => part.type === "text");
  const media = result.content.filter((part): part is MediaPart => part.type === "media");
  const text = texts.map((part) => part.text).join("\n");
  return {
    ...own,
    functionResponse: {
      ...(isObject(functionResponse) ? functionResponse : {}),
      id: result.callId,
      name,
      response: encodeResponse(text, result.isError === true),
      ...(media.length === 0 ? {} : { parts: media.map(encodeMedia) }),
    },
  };
}

function encodeResponse(text: string, isError: boolean): unknown {
  const isJson = isObjectText(text);
  const value = isJson ? new RawJson(text) : text;
  if (isError) return { error: value };
  if (!isJson) return { output: value };
  const keys = Object.keys(JSON.parse(text) as object);
  return keys.includes("output") || keys.includes("error") ? { output: value } : value;
}
