import type { Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { JsonScanner, KeyTable } from "../../../util/json-scanner.js";
import { parseJson } from "../../../util/json.js";
import { asUpstream, parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInResponse } from "../response-error.js";
import { decodeUsage } from "./usage.js";

const answerKeys = new KeyTable(["usage", "service_tier", "tool_usage", "output", "error", "status"]);
const NULL = 0x6e;

/** `Codec.readUsage` of Responses: one walk over the bytes, of which only the small parts that say something of usage become a tree. */
export function readUsage(bytes: Uint8Array): Usage {
  const { fields, suspicious } = asUpstream(() => scanAnswer(bytes));
  const error = suspicious || fields["status"] === "failed" ? errorInResponse(parseUpstreamJson(bytes)) : null;
  if (error !== null) throw error;
  return decodeUsage(fields);
}

/** `suspicious`: it has what an error has, or nothing of a response. */
function scanAnswer(bytes: Uint8Array): { readonly fields: Record<string, unknown>; readonly suspicious: boolean } {
  const scanner = new JsonScanner(bytes);
  const fields: Record<string, unknown> = {};
  let [hasOutput, hasError] = [false, false];
  if (scanner.peek() !== 0x7b) throw new GatewayError("upstream_protocol", "The vendor's answer is not a JSON object.");
  scanner.enterObject();
  for (let key = scanner.nextKey(answerKeys); key !== JsonScanner.end; key = scanner.nextKey(answerKeys)) {
    const start = scanner.pos;
    const isNull = scanner.peek() === NULL;
    scanner.skip();
    if (key === JsonScanner.other) continue;
    const name = answerKeys.names[key] as string;
    if (name === "output") hasOutput = true;
    else if (name === "error") hasError = !isNull;
    else fields[name] = parseJson(bytes.subarray(start, scanner.pos));
  }
  scanner.finish();
  return { fields, suspicious: hasError || !hasOutput };
}
