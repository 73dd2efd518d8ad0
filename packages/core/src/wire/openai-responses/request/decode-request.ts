import type { ModelCall } from "../../../calls/index.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { Fields, invalid } from "../../shared/fields.js";
import { asExtras } from "../extras.js";
import { decodeInput } from "./decode-input.js";
import { decodeReasoningOptions, decodeTextOptions } from "./text-options.js";
import { decodeToolChoice, decodeTools } from "./tools.js";

/** What `include` asks for the probabilities of tokens by. */
export const logprobsIncluded = "message.output_text.logprobs";
/** Fields by one of which the input is, or may be, at the vendor. */
export const keptHistory = ["previous_response_id", "conversation"] as const;

/**
 * `Codec.decodeRequest` of Responses: what is null or absent is undefined, what has no neutral meaning rides in `extras`, which is there even when it is empty: it
 * says that the call was made in this protocol. There too is all that is about state (`previous_response_id`, `conversation`, `store`, `background`, `prompt`,
 * `include`), for whoever keeps it.
 */
export function decodeRequest(bytes: Uint8Array): ModelCall {
  const fields = new Fields(parseCallerJson(bytes));
  const model = fields.string("model");
  checkInput(fields);
  const text = decodeTextOptions(fields);
  const choice = decodeToolChoice(fields);
  const thinking = decodeReasoningOptions(fields);
  const logprobs = decodeLogprobs(fields);
  fields.optionalBoolean("stream");
  const call: ModelCall = {
    model,
    messages: decodeInput(fields),
    tools: decodeTools(fields),
    toolChoice: choice.neutral,
    parallelToolCalls: fields.optionalBoolean("parallel_tool_calls"),
    output: text.output,
    maxOutputTokens: fields.optionalInteger("max_output_tokens"),
    temperature: fields.optionalNumber("temperature"),
    topP: fields.optionalNumber("top_p"),
    presencePenalty: fields.optionalNumber("presence_penalty"),
    frequencyPenalty: fields.optionalNumber("frequency_penalty"),
    reasoning: thinking.reasoning,
    logprobs,
    serviceTier: fields.optionalString("service_tier"),
    promptCacheKey: fields.optionalString("prompt_cache_key"),
    promptCacheRetention: fields.optionalString("prompt_cache_retention"),
    verbosity: text.verbosity,
    ...decodeUser(fields),
    metadata: fields.optionalObject("metadata") as ModelCall["metadata"],
  };
  const own = { text: text.own, tool_choice: choice.own, reasoning: thinking.own };
  return { ...call, extras: asExtras({ ...own, ...saidRest(fields) }).extras ?? { "openai-responses": {} } };
}

/** The newer name of the same, as in Chat Completions. */
function decodeUser(fields: Fields): Pick<ModelCall, "user" | "safetyIdentifier"> {
  const user = fields.optionalString("user");
  const safetyIdentifier = fields.optionalString("safety_identifier");
  return { user: user ?? safetyIdentifier, safetyIdentifier };
}

/** Without input there has to be something that stands for it. */
function checkInput(fields: Fields): void {
  const stands = ["input", "instructions", "prompt", ...keptHistory].some((key) => (fields.raw(key) ?? undefined) !== undefined);
  if (!stands) throw invalid("input", "is missing");
}

/** Every field was looked at by `checkInput`, so that those which stay as they are have to be named. */
function saidRest(fields: Fields): Record<string, unknown> {
  const kept = Object.fromEntries(["prompt", ...keptHistory].map((key) => [key, fields.raw(key) ?? undefined]));
  const include = fields.optionalList("include");
  return { ...Object.fromEntries(Object.entries(fields.rest() ?? {}).filter(([, value]) => value !== null)), ...kept, include };
}

/** The vendor tells probabilities only when they are asked for by name; how many beside the chosen ones stands in its own field. */
function decodeLogprobs(fields: Fields): number | undefined {
  const include = fields.optionalList("include");
  if (include?.includes(logprobsIncluded) !== true) return undefined;
  return fields.optionalInteger("top_logprobs") ?? 0;
}
