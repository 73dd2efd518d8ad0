import type { Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { JsonScanner, KeyTable } from "../../../util/json-scanner.js";
import { fromUtf8 } from "../../../util/json.js";
import { asUpstream, parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInBody } from "../decode-error.js";
import { decodeUsage, withSearches } from "./usage.js";

const answerKeys = new KeyTable(["usageMetadata", "usage_metadata", "candidates", "promptFeedback", "prompt_feedback", "error"]);
const CANDIDATES = 2;
const ERROR = 5;
const candidateKeys = new KeyTable(["groundingMetadata", "grounding_metadata"]);
const groundingKeys = new KeyTable(["webSearchQueries", "web_search_queries"]);
const [OBJECT, LIST] = [0x7b, 0x5b];

/** `Codec.readUsage` of Google's protocol: one walk over the bytes, of which only the counts are parsed. */
export function readUsage(bytes: Uint8Array): Usage {
  const { usage, searches, suspicious } = asUpstream(() => scanAnswer(bytes));
  const error = suspicious ? errorInBody(parseUpstreamJson(bytes)) : null;
  if (error !== null) throw error;
  return withSearches(decodeUsage(usage), searches);
}

/** `suspicious`: it has what an error has, or nothing of an answer. */
function scanAnswer(bytes: Uint8Array): { readonly usage: unknown; readonly searches: number; readonly suspicious: boolean } {
  const scanner = new JsonScanner(bytes);
  if (scanner.peek() !== OBJECT) throw new GatewayError("upstream_protocol", "The vendor's answer is not a JSON object.");
  let usage: unknown;
  let searches = 0;
  let [isAnswer, hasError] = [false, false];
  scanner.enterObject();
  for (let key = scanner.nextKey(answerKeys); key !== JsonScanner.end; key = scanner.nextKey(answerKeys)) {
    const start = scanner.pos;
    if (key === CANDIDATES) searches = countSearches(scanner);
    else scanner.skip();
    if (key === ERROR) hasError = true;
    else if (key >= CANDIDATES) isAnswer = true;
    else if (key !== JsonScanner.other) usage = JSON.parse(fromUtf8(bytes.subarray(start, scanner.pos)));
  }
  scanner.finish();
  return { usage, searches, suspicious: hasError || !isAnswer };
}

/** The queries in the grounding of all candidates, at which the scanner stands. */
function countSearches(scanner: JsonScanner): number {
  if (scanner.peek() !== LIST) {
    scanner.skip();
    return 0;
  }
  let searches = 0;
  const countQueries = () => {
    if (scanner.peek() !== LIST) return scanner.skip();
    for (scanner.enterArray(); scanner.nextElement(); searches++) scanner.skip();
  };
  const inGrounding = () => eachValue(scanner, groundingKeys, countQueries);
  for (scanner.enterArray(); scanner.nextElement(); ) eachValue(scanner, candidateKeys, inGrounding);
  return searches;
}

/** Runs `read` at the values of the keys; passes over all else. */
function eachValue(scanner: JsonScanner, keys: KeyTable, read: () => void): void {
  if (scanner.peek() !== OBJECT) {
    scanner.skip();
    return;
  }
  scanner.enterObject();
  for (let key = scanner.nextKey(keys); key !== JsonScanner.end; key = scanner.nextKey(keys)) {
    if (key === JsonScanner.other) scanner.skip();
    else read();
  }
}
