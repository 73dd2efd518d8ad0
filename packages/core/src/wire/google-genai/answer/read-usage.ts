import type { Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { JsonScanner, KeyTable } from "../../../util/json-scanner.js";
import { fromUtf8 } from "../../../util/json.js";
import { asUpstream, parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInBody } from "../decode-error.js";
import { decodeUsage } from "./usage.js";

const answerKeys = new KeyTable(["usageMetadata", "usage_metadata", "candidates", "promptFeedback", "prompt_feedback", "error"]);
const CANDIDATES = 2;
const ERROR = 5;

/** `Codec.readUsage` of Google's protocol: one walk over the bytes, of which only the usage is parsed. */
export function readUsage(bytes: Uint8Array): Usage {
  const { usage, suspicious } = asUpstream(() => scanAnswer(bytes));
  const error = suspicious ? errorInBody(parseUpstreamJson(bytes)) : null;
  if (error !== null) throw error;
  return decodeUsage(usage);
}

/** `suspicious`: it has what an error has, or nothing of an answer. */
function scanAnswer(bytes: Uint8Array): { readonly usage: unknown; readonly suspicious: boolean } {
  const scanner = new JsonScanner(bytes);
  if (scanner.peek() !== 0x7b) throw new GatewayError("upstream_protocol", "The vendor's answer is not a JSON object.");
  let usage: unknown;
  let [isAnswer, hasError] = [false, false];
  scanner.enterObject();
  for (let key = scanner.nextKey(answerKeys); key !== JsonScanner.end; key = scanner.nextKey(answerKeys)) {
    const start = scanner.pos;
    scanner.skip();
    if (key === ERROR) hasError = true;
    else if (key >= CANDIDATES) isAnswer = true;
    else if (key !== JsonScanner.other) usage = JSON.parse(fromUtf8(bytes.subarray(start, scanner.pos)));
  }
  scanner.finish();
  return { usage, suspicious: hasError || !isAnswer };
}
