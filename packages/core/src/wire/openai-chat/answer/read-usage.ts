import type { Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { JsonScanner, KeyTable } from "../../../util/json-scanner.js";
import { fromUtf8 } from "../../../util/json.js";
import { asUpstream, parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInBody } from "../decode-error.js";
import { usageOf, type ChatCounts } from "./usage.js";

/** Which count each key is, or which object of counts it opens. */
type Keys = readonly (readonly [key: string, count: keyof ChatCounts | Level])[];
interface Level {
  readonly table: KeyTable;
  readonly means: readonly (keyof ChatCounts | Level)[];
}
function level(keys: Keys): Level {
  return { table: new KeyTable(keys.map(([key]) => key)), means: keys.map(([, means]) => means) };
}

const usageLevel = level([
  ["prompt_tokens", "prompt"],
  ["completion_tokens", "completion"],
  ["total_tokens", "total"],
  ["prompt_cache_hit_tokens", "cacheHit"],
  [
    "prompt_tokens_details",
    level([
      ["cached_tokens", "cached"],
      ["cache_write_tokens", "written"],
      ["audio_tokens", "soundIn"],
      ["image_tokens", "pictureIn"],
    ]),
  ],
  [
    "completion_tokens_details",
    level([
      ["reasoning_tokens", "reasoning"],
      ["audio_tokens", "soundOut"],
      ["image_tokens", "pictureOut"],
    ]),
  ],
  ["cost", "dollars"],
  ["cost_in_usd_ticks", "ticks"],
]);
const answerKeys = new KeyTable(["usage", "choices", "error", "service_tier"]);
const [USAGE, CHOICES, ERROR, TIER] = [0, 1, 2, 3];
const QUOTE = 0x22;
const NULL = 0x6e;

/** `Codec.readUsage` of Chat Completions: one walk over the bytes, no tree. */
export function readUsage(bytes: Uint8Array): Usage {
  const { counts, tier, suspicious } = asUpstream(() => scanAnswer(bytes));
  const error = suspicious ? errorInBody(parseUpstreamJson(bytes)) : null;
  if (error !== null) throw error;
  const usage = usageOf(counts);
  // Not spread: whatever reads the object later pays for it again.
  if (tier !== "") usage.serviceTier = tier;
  return usage;
}

/** `suspicious`: it has what an error has, or nothing of an answer. */
function scanAnswer(bytes: Uint8Array): { readonly counts: ChatCounts; readonly tier: string; readonly suspicious: boolean } {
  const scanner = new JsonScanner(bytes);
  const counts: ChatCounts = {};
  let [hasChoices, hasError] = [false, false];
  let tier = "";
  if (scanner.peek() !== 0x7b) throw new GatewayError("upstream_protocol", "The vendor's answer is not a JSON object.");
  scanner.enterObject();
  for (let key = scanner.nextKey(answerKeys); key !== JsonScanner.end; key = scanner.nextKey(answerKeys)) {
    if (key === USAGE) scanCounts(scanner, usageLevel, counts);
    else {
      const [first, start] = [scanner.peek(), scanner.pos];
      if (key === CHOICES) hasChoices = true;
      else if (key === ERROR) hasError = first !== NULL;
      scanner.skip();
      if (key === TIER) tier = first === QUOTE ? (JSON.parse(fromUtf8(bytes.subarray(start, scanner.pos))) as string) : "";
    }
  }
  scanner.finish();
  return { counts, tier, suspicious: hasError || !hasChoices };
}

function scanCounts(scanner: JsonScanner, { table, means }: Level, counts: ChatCounts): void {
  if (scanner.peek() !== 0x7b) {
    scanner.skip();
    return;
  }
  scanner.enterObject();
  for (let key = scanner.nextKey(table); key !== JsonScanner.end; key = scanner.nextKey(table)) {
    const meaning = key === JsonScanner.other ? undefined : means[key];
    if (meaning === undefined) scanner.skip();
    else if (typeof meaning === "string") counts[meaning] = scanner.skipNumber();
    else scanCounts(scanner, meaning, counts);
  }
}
