import type { Json } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { BatchRequest } from "../../seams/index.js";
import { fromUtf8, isObject, utf8 } from "../../util/json.js";
import { parseCallerJson } from "../../util/json-checks/caller-json.js";

/** OpenAI's limit, and half of Anthropic's. */
const MAX_REQUESTS = 50_000;
const MAX_ID_LENGTH = 512;

/**
 * The requests of an uploaded file: JSON lines of `{custom_id, method, url, body}`, all for one endpoint. Source: https://platform.openai.com/docs/api-reference/batch/request-input
 * Errors: `validation_failed` naming the line.
 */
export function readBatchFile(bytes: Uint8Array, endpoint: string): BatchRequest[] {
  const lines = fromUtf8(bytes).split("\n");
  const requests = lines.flatMap((line, at): BatchRequest[] => {
    if (line.trim() === "") return [];
    const { custom_id: customId, method, url, body } = parsed(line, at + 1);
    if (typeof customId !== "string") throw wrong(at + 1, "has no custom_id");
    if (method !== undefined && method !== "POST") throw wrong(at + 1, "has a method other than POST");
    if (url !== endpoint) throw wrong(at + 1, `is for another url than the batch's endpoint, ${endpoint}`);
    if (!isObject(body)) throw wrong(at + 1, "has no body");
    return [{ customId, body: body as Readonly<Record<string, Json>> }];
  });
  return checkRequests(requests);
}

/** Errors: `validation_failed` for none, too many, two of one id, a request without a model, or one that is to be streamed. */
export function checkRequests(requests: readonly BatchRequest[]): BatchRequest[] {
  if (requests.length === 0) throw new GatewayError("validation_failed", "The batch has no requests.");
  if (requests.length > MAX_REQUESTS)
    throw new GatewayError("validation_failed", `The batch has more than ${MAX_REQUESTS} requests.`, { hint: "Make several batches." });
  const seen = new Map<string, number>();
  for (const [at, { customId, body }] of requests.entries()) {
    if (customId === "" || customId.length > MAX_ID_LENGTH)
      throw wrong(at + 1, `has a custom_id that is empty or longer than ${MAX_ID_LENGTH} characters`);
    const first = seen.get(customId);
    // Results are told apart by nothing else.
    if (first !== undefined) throw wrong(at + 1, `has the custom_id of line ${first}`);
    seen.set(customId, at + 1);
    if (typeof body["model"] !== "string" || body["model"] === "") throw wrong(at + 1, "names no model");
    if (body["stream"] === true) throw wrong(at + 1, "asks for a stream, which a batch has none of");
  }
  return [...requests];
}

/** How a batch keeps its requests, and reads them again. */
export function writeRequests(requests: readonly BatchRequest[]): Uint8Array {
  return utf8(requests.map(({ customId, body }) => `${JSON.stringify({ customId, body })}\n`).join(""));
}
export function readRequests(bytes: Uint8Array): BatchRequest[] {
  return fromUtf8(bytes)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as BatchRequest);
}

function parsed(line: string, number: number): Record<string, unknown> {
  try {
    return parseCallerJson(utf8(line));
  } catch (error) {
    throw wrong(number, "is no JSON object", error);
  }
}

function wrong(line: number, what: string, cause?: unknown): GatewayError {
  return new GatewayError("validation_failed", `Request ${line} of the batch ${what}.`, {
    details: { param: "input_file_id", line },
    ...(cause === undefined ? {} : { cause }),
  });
}
