import type { Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { JsonScanner, KeyTable } from "../../../util/json-scanner.js";
import { parseJson } from "../../../util/json.js";
import { asUpstream, parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInBody } from "../decode-error.js";
import { decodeUsage } from "./usage.js";

const answerKeys = new KeyTable(["usage", "content", "error"]);
const [USAGE, CONTENT] = [0, 1];

/** `Codec.readUsage` of Messages: one walk over the bytes; of the answer only the usage becomes a tree. */
export function readUsage(bytes: Uint8Array): Usage {
  const { usage, suspicious } = asUpstream(() => scanAnswer(bytes));
  const error = suspicious ? errorInBody(parseUpstreamJson(bytes)) : null;
  if (error !== null) throw error;
  return decodeUsage(usage);
}

/** `suspicious`: it has what an error has, or nothing of an answer. */
function scanAnswer(bytes: Uint8Array): { readonly usage: unknown; readonly suspicious: boolean } {
  const scanner = new JsonScanner(bytes);
  let usage: unknown;
  let [hasContent, hasError] = [false, false];
  if (scanner.peek() !== 0x7b) throw new GatewayError("upstream_protocol", "The vendor's answer is not a JSON object.");
  scanner.enterObject();
  for (let key = scanner.nextKey(answerKeys); key !== JsonScanner.end; key = scanner.nextKey(answerKeys)) {
    const start = scanner.pos;
    scanner.skip();
    if (key === USAGE) usage = parseJson(bytes.subarray(start, scanner.pos));
    else if (key === CONTENT) hasContent = true;
    else if (key !== JsonScanner.other) hasError = true;
  }
  scanner.finish();
  return { usage, suspicious: hasError || !hasContent };
}
