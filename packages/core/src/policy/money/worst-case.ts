import type { ModelHead, Usage } from "../../calls/index.js";
import type { AttemptTarget } from "../step.js";

/** Texts of few scripts have more tokens than a third of their UTF-8 bytes. */
const BYTES_PER_TOKEN = 3;
/** What roles, names and formats add to a conversation. */
const OVERHEAD_TOKENS = 50;
/** Nobody said how much the model can write, nor how much is wanted. */
const UNSAID_OUTPUT_TOKENS = 8_192;
/** What the dearest picture of today is counted as. */
const TOKENS_PER_IMAGE = 6_240;
/** Sound of the lowest usual quality. */
const BYTES_PER_SECOND = 2_000;
const TOKENS_PER_SECOND = 25;
const UNSAID_SECONDS = 12;

/**
 * What a call may cost at a target at the most, nano-US-dollars; null: its price there is not known. Input is estimated from bytes and bounded by the model's context, output is what the call
 * allows, or else what the model can write. What nobody can know beforehand (a picture behind an address, a dearer tier that serves, searches) may go beyond it.
 */
export function worstCase(head: ModelHead, target: AttemptTarget): number | null {
  if (head.operation === "count-tokens" || head.operation === "batch") return 0;
  let most: number | null = null;
  for (const usage of usagesOf(head, target)) {
    const cost = target.cost(usage);
    if (cost !== null && (most === null || cost > most)) most = cost;
  }
  return most;
}

/** Each way in which the call may be counted. */
function usagesOf(head: ModelHead, target: AttemptTarget): readonly Usage[] {
  const { bytes } = head;
  const n = Math.max(1, head.choices ?? 1);
  const input = Math.min(Math.ceil(bytes / BYTES_PER_TOKEN) + OVERHEAD_TOKENS, target.contextTokens ?? Infinity);
  const none = { inputTokens: input, outputTokens: 0 };
  const seconds = head.seconds ?? (head.operation === "video" ? UNSAID_SECONDS : Math.ceil(bytes / BYTES_PER_SECOND));
  switch (head.operation) {
    case "image":
      return [
        { ...none, images: n, imageOutputTokens: n * TOKENS_PER_IMAGE },
        { ...none, images: n, outputTokens: n * TOKENS_PER_IMAGE },
        { images: n },
      ];
    case "speech":
      return [
        { ...none, characters: bytes, audioOutputTokens: bytes },
        { ...none, characters: bytes, outputTokens: bytes },
        { characters: bytes },
      ];
    case "transcribe":
      return [
        { seconds, inputTokens: 0, audioInputTokens: seconds * TOKENS_PER_SECOND, outputTokens: seconds * TOKENS_PER_SECOND },
        { seconds, inputTokens: seconds * TOKENS_PER_SECOND, outputTokens: seconds * TOKENS_PER_SECOND },
        { seconds },
      ];
    case "video":
      return [{ seconds }, { ...none, seconds }];
    case "generate": {
      const outputTokens = n * outputOf(head, target);
      // A vendor may write to its cache what it reads, which is dearer.
      return [
        { inputTokens: input, outputTokens },
        { inputTokens: 0, cacheWriteTokens: input, outputTokens },
        { inputTokens: 0, cacheWriteLongTokens: input, outputTokens },
      ];
    }
    default:
      return [none];
  }
}

function outputOf({ maxOutputTokens }: ModelHead, target: AttemptTarget): number {
  const able = target.maxOutputTokens ?? target.contextTokens;
  if (maxOutputTokens === undefined) return able ?? UNSAID_OUTPUT_TOKENS;
  return able === null ? maxOutputTokens : Math.min(maxOutputTokens, able);
}

/** Beyond what one call of this model can come to: a count or a price is wrong. null: nobody said what the model can do. */
export function beyondBelief(head: ModelHead, target: AttemptTarget): number | null {
  const { contextTokens } = target;
  if (head.operation !== "generate" || contextTokens === null) return null;
  const outputTokens = Math.max(1, head.choices ?? 1) * (target.maxOutputTokens ?? contextTokens);
  const all = { ...head, bytes: contextTokens * BYTES_PER_TOKEN, maxOutputTokens: outputTokens };
  return worstCase(all, target);
}
