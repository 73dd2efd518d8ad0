import type { CallHead, Usage } from "../../calls/index.js";
import type { OpenCall } from "../step.js";
import type { Delivered } from "./delivered.js";

const CHARS_PER_TOKEN = 4;
/** Where the protocols that we relay have what a model wrote. */
const written = /"(?:content|text|delta|thinking|reasoning|reasoning_content|refusal|arguments|partial_json)"\s*:\s*"((?:[^"\\]|\\.)*)"/g;

/**
 * The usage of a call whose vendor counted nothing of what it delivered, because the call was broken off or because it never does: input from the bytes of the request, output from what went by. Flagged `estimated`.
 * A count from the beginning of a stream that was broken off is less than half of that: it is replaced. Gives what the meter is to note; null: what is noted is what there is.
 */
export function estimatedUsage(call: OpenCall<CallHead>): Usage | null {
  const { meter, head } = call;
  const { delivered, usage } = meter;
  if (delivered === null || head.kind !== "model" || head.operation !== "generate") return null;
  const said = usage.outputTokens === undefined ? undefined : usage.outputTokens + (usage.reasoningTokens ?? 0);
  if (said !== undefined && !meter.partial) return null;
  const output = tokensOf(delivered);
  if (said !== undefined && said * 2 >= output) return null;
  if (output === 0 && said === undefined) return null;
  const outputTokens = Math.max(0, output - (usage.reasoningTokens ?? 0));
  const cached = (usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0);
  const inputTokens = usage.inputTokens ?? Math.max(0, Math.ceil(head.bytes / CHARS_PER_TOKEN) - cached);
  return { ...usage, inputTokens, outputTokens, estimated: true };
}

/** One token an event, which is how most vendors stream, or a quarter of the characters where an event has more. */
function tokensOf({ bytes, sample, chars, events }: Delivered): number {
  if (events > 0) return Math.max(events, Math.ceil(chars / CHARS_PER_TOKEN));
  if (sample === "") return 0;
  let texts = 0;
  let length = 0;
  for (const [, text] of sample.matchAll(written)) {
    if (text === undefined || text === "") continue;
    texts++;
    length += text.length;
  }
  return Math.ceil(Math.max(texts, length / CHARS_PER_TOKEN) * Math.max(1, bytes / sample.length));
}
