import type { Headers } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";
import { vendorError, type VendorFailure } from "../shared/vendor-error.js";
import { statusOfType } from "./error-types.js";

const lenient = new TextDecoder("utf-8");
/** What of a body that is no JSON is worth telling. */
const maxPlainChars = 300;

/**
 * `Codec.decodeError` of Messages: the vendor's `{type: "error", error: {type, message, details}}`, and of those who imitate it `{error: "text"}`, `{message}`,
 * `{detail}`, a bare text, a web page, or nothing.
 */
export function decodeError(status: number, headers: Headers, bytes: Uint8Array): GatewayError {
  const text = lenient.decode(bytes).trim();
  return vendorError({ status, headers, ...wordsOf(parsed(text) ?? plainText(text, status)) });
}

/** The error in an answer, or in an event of one, that began with 200; null when there is none. */
export function errorInBody(body: Record<string, unknown>): GatewayError | null {
  const error = body["error"];
  const isEmpty = isObject(error) ? Object.keys(error).length === 0 : !error;
  return isEmpty && body["type"] !== "error" ? null : failureIn(body);
}

/** What an event called "error" says, whatever it holds. */
export function errorInEvent(body: Record<string, unknown>): GatewayError {
  return failureIn(body["error"] === undefined || body["error"] === null ? { error: body } : body);
}

/** A failure that says nothing of its kind is the vendor's. */
function failureIn(body: Record<string, unknown>): GatewayError {
  const words = wordsOf(body);
  return vendorError({ headers: [], ...words, status: statusOfType(words.type) ?? numericStatus(body) ?? 500 });
}

type Words = Pick<VendorFailure, "message" | "type" | "code">;

function wordsOf(body: Record<string, unknown>): Words {
  const error = body["error"];
  const said = isObject(error) ? error : typeof error === "string" ? { ...body, message: error } : body;
  const details = said["details"];
  const type = word(said["type"]);
  return {
    message: word(said["message"]) ?? word(said["detail"]) ?? word(said["msg"]),
    // The body's own type only says that it is an error.
    type: type === "error" ? undefined : type,
    code: (isObject(details) ? word(details["error_code"]) : undefined) ?? word(said["code"]),
  };
}

function word(value: unknown): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number") return String(value);
  return isObject(value) || Array.isArray(value) ? JSON.stringify(value).slice(0, maxPlainChars) : undefined;
}

function numericStatus(body: Record<string, unknown>): number | undefined {
  const error = isObject(body["error"]) ? body["error"] : {};
  return [error["status"], error["code"], body["status"]].find(
    (given): given is number => typeof given === "number" && Number.isInteger(given) && given >= 400 && given <= 599,
  );
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** A web page comes from a proxy on the way and tells a machine nothing. */
function plainText(text: string, status: number): Record<string, unknown> {
  if (text.startsWith("<")) return { message: `A web page with status ${status} came instead of the vendor's answer.` };
  return { message: text.length > maxPlainChars ? `${text.slice(0, maxPlainChars)}…` : text };
}
