import type { Headers } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";
import { vendorError, type VendorFailure } from "../shared/vendor-error.js";

const lenient = new TextDecoder("utf-8");
/** What of a body that is no JSON is worth telling. */
const maxPlainChars = 300;

/**
 * `Codec.decodeError` of Chat Completions and of those who imitate it: OpenAI's `{error: {message, type, param, code}}`, `{error: "text"}`, `{message}`,
 * `{detail}`, a bare text, a web page, or nothing.
 */
export function decodeError(status: number, headers: Headers, bytes: Uint8Array): GatewayError {
  const text = lenient.decode(bytes).trim();
  return vendorError({ status, headers, ...wordsOf(parsed(text) ?? plainText(text, status)) });
}

/** The error in an answer, or in a frame of one, that began with 200; null when there is none. */
export function errorInBody(body: Record<string, unknown>): GatewayError | null {
  const error = body["error"];
  // Some send the field always, with nothing in it.
  const isEmpty = isObject(error) ? Object.keys(error).length === 0 : !error;
  if (isEmpty && body["object"] !== "error") return null;
  const words = wordsOf(body);
  return vendorError({ headers: [], ...words, status: statusInBody(body, words) });
}

type Words = Pick<VendorFailure, "message" | "type" | "code" | "param">;

function wordsOf(body: Record<string, unknown>): Words {
  const error = body["error"];
  const said = isObject(error) ? error : typeof error === "string" ? { ...body, message: error } : body;
  const metadata = said["metadata"];
  // OpenRouter's own message only says that its provider failed; what the provider said is raw.
  const raw = isObject(metadata) && typeof metadata["raw"] === "string" ? `: ${metadata["raw"].slice(0, maxPlainChars)}` : "";
  const message = word(said["message"]) ?? word(said["detail"]) ?? word(said["msg"]);
  return {
    message: message === undefined ? undefined : message + raw,
    type: word(said["type"]),
    code: word(said["code"]),
    param: word(said["param"]),
  };
}

function word(value: unknown): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number") return String(value);
  return isObject(value) || Array.isArray(value) ? JSON.stringify(value).slice(0, maxPlainChars) : undefined;
}

/** A body named its own status, or its words tell one; a failure that says nothing of its kind is the vendor's. */
function statusInBody(body: Record<string, unknown>, { type, code }: Words): number {
  const error = isObject(body["error"]) ? body["error"] : {};
  for (const given of [error["status"], error["code"], body["status"], body["code"]]) {
    const status = typeof given === "string" && /^\d{3}$/.test(given) ? Number(given) : given;
    if (typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  const words = `${type ?? ""} ${code ?? ""}`;
  if (/rate_limit|insufficient_quota|too_many_requests/i.test(words)) return 429;
  if (/authentication|invalid_api_key|permission/i.test(words)) return 401;
  if (/invalid_request|bad_request|context_length|content_filter|content_policy|not_found|unsupported|invalid_prompt/i.test(words))
    return 400;
  return 500;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    // Google's compatible endpoint answers with a list of one.
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return isObject(first) ? first : null;
  } catch {
    return null;
  }
}

/** A web page comes from a proxy on the way and tells a machine nothing. */
function plainText(text: string, status: number): Record<string, unknown> {
  if (text.startsWith("<")) return { message: `A web page with status ${status} came instead of the vendor's answer.` };
  return { message: text.length > maxPlainChars ? `${text.slice(0, maxPlainChars)}…` : text };
}
