import { GatewayError } from "../../../errors/index.js";
import type { Usage } from "../../../calls/index.js";
import { pathSafe } from "../../../util/encoding/path-safe.js";
import { isObject } from "../../../util/json.js";
import type { OperationContext } from "../../operations.js";
import { decodeError } from "../../../wire/google-genai/decode-error.js";
import { exchangeJson } from "../exchange.js";

// Through the guarded client and not through @google/genai: the SDK takes no fetch of ours (https://github.com/googleapis/js-genai/issues/999), and whatever dials by itself passes the guard by.

/** `/v1beta/models`, or what the provider's row says. */
function modelsPath(context: OperationContext): string {
  return context.quirks.modelsPath ?? "/v1beta/models";
}

/** Asks a model for one of Google's methods: `generateContent`, `predict`, `predictLongRunning`, … */
export function ask(method: string, body: object, context: OperationContext): Promise<Record<string, unknown>> {
  const model = pathSafe(context.model);
  return exchangeJson({ method: "POST", url: `${modelsPath(context)}/${model}:${method}`, body, decodeError }, context);
}

/** What stands at a name of Google's, such as an operation's. */
export function read(name: string, context: OperationContext): Promise<Record<string, unknown>> {
  const root = modelsPath(context).replace(/\/models$/, "");
  return exchangeJson({ method: "GET", url: `${root}/${pathSafe(name)}`, decodeError }, context);
}

/** A part of an answer that has bytes. */
export interface Blob {
  readonly mimeType: string;
  readonly data: string;
}
export interface Generated {
  readonly text: string;
  readonly blobs: readonly Blob[];
  readonly usage: Usage;
}

/**
 * `generateContent`, whole: its texts without thoughts, its media, what it used. Source: https://ai.google.dev/api/generate-content
 * Errors: also `content_blocked` when the vendor refused prompt or answer.
 */
export async function generate(body: object, context: OperationContext): Promise<Generated> {
  const answer = await ask("generateContent", body, context);
  const candidates = Array.isArray(answer["candidates"]) ? answer["candidates"].filter(isObject) : [];
  const parts = candidates.flatMap(({ content }) =>
    isObject(content) && Array.isArray(content["parts"]) ? content["parts"].filter(isObject) : [],
  );
  const blobs = parts.flatMap(({ inlineData, thought }) =>
    thought !== true && isObject(inlineData) && typeof inlineData["data"] === "string"
      ? [{ mimeType: String(inlineData["mimeType"] ?? "application/octet-stream"), data: inlineData["data"] }]
      : [],
  );
  const text = parts.map(({ text: said, thought }) => (typeof said === "string" && thought !== true ? said : "")).join("");
  if (text === "" && blobs.length === 0) throw refused(answer, candidates);
  return { text, blobs, usage: usageOf(answer["usageMetadata"]) };
}

function refused(answer: Record<string, unknown>, candidates: readonly Record<string, unknown>[]): GatewayError {
  const feedback = isObject(answer["promptFeedback"]) ? answer["promptFeedback"]["blockReason"] : undefined;
  const reason = feedback ?? candidates[0]?.["finishReason"];
  const known = typeof reason === "string" ? reason : "nothing";
  if (known === "nothing" || known === "STOP")
    return new GatewayError("upstream_protocol", "The vendor answered with neither text nor media.");
  return new GatewayError("content_blocked", `The vendor refused to answer (${known.slice(0, 60)}).`, {
    details: { reason: known.slice(0, 60) },
  });
}

/** Google counts by modality; what it does not say of one stays in the whole. */
export function usageOf(metadata: unknown): Usage {
  if (!isObject(metadata)) return {};
  const read = number(metadata["cachedContentTokenCount"]);
  const input = byModality(metadata["promptTokensDetails"]);
  const output = byModality(metadata["candidatesTokensDetails"]);
  const prompt = number(metadata["promptTokenCount"]);
  const made = number(metadata["candidatesTokenCount"]);
  const counts = {
    inputTokens: prompt === undefined ? undefined : Math.max(0, prompt - (read ?? 0) - (input.audio ?? 0) - (input.image ?? 0)),
    cacheReadTokens: read,
    audioInputTokens: input.audio,
    imageInputTokens: input.image,
    outputTokens: made === undefined ? undefined : Math.max(0, made - (output.audio ?? 0) - (output.image ?? 0)),
    reasoningTokens: number(metadata["thoughtsTokenCount"]),
    audioOutputTokens: output.audio,
    imageOutputTokens: output.image,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined));
}

function byModality(details: unknown): { readonly audio?: number; readonly image?: number } {
  const counts: { audio?: number; image?: number } = {};
  for (const detail of Array.isArray(details) ? details.filter(isObject) : []) {
    const count = number(detail["tokenCount"]);
    if (count === undefined) continue;
    if (detail["modality"] === "AUDIO") counts.audio = count;
    else if (detail["modality"] === "IMAGE") counts.image = count;
  }
  return counts;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
