import type { JsonObject, ModelCall, OutputFormat } from "../../../calls/index.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { Fields, invalid } from "../../shared/fields.js";
import { asExtras } from "../extras.js";
import { decodeMessages } from "./decode-messages.js";
import { decodeReasoning } from "./reasoning-request.js";
import { decodeParallel, decodeToolChoice, decodeTools } from "./tools.js";

/** `Codec.decodeRequest` of Chat Completions: what is null or absent is undefined, what has no neutral meaning rides in `extras`. */
export function decodeRequest(bytes: Uint8Array): ModelCall {
  const fields = new Fields(parseCallerJson(bytes));
  const model = fields.string("model");
  const messages = decodeMessages(fields.list("messages"));
  const { tools } = decodeTools(fields);
  const choice = decodeToolChoice(fields);
  const format = decodeFormat(fields);
  const limit = decodeLimit(fields);
  const reasoning = decodeReasoning(fields);
  const topK = fields.optionalInteger("top_k");
  const call = {
    model,
    messages,
    tools,
    toolChoice: choice.neutral,
    parallelToolCalls: decodeParallel(fields, tools),
    output: format.neutral,
    maxOutputTokens: limit.neutral,
    temperature: fields.optionalNumber("temperature"),
    topP: fields.optionalNumber("top_p"),
    topK,
    stop: decodeStop(fields),
    seed: fields.optionalInteger("seed"),
    presencePenalty: fields.optionalNumber("presence_penalty"),
    frequencyPenalty: fields.optionalNumber("frequency_penalty"),
    n: fields.optionalInteger("n"),
    reasoning: reasoning.neutral,
    logprobs: decodeLogprobs(fields),
    outputModalities: decodeModalities(fields),
    serviceTier: fields.optionalString("service_tier"),
    promptCacheKey: fields.optionalString("prompt_cache_key"),
    promptCacheRetention: fields.optionalString("prompt_cache_retention"),
    verbosity: fields.optionalString("verbosity"),
    store: fields.optionalBoolean("store"),
    ...decodeUser(fields),
    metadata: fields.optionalObject("metadata") as ModelCall["metadata"],
  };
  const own = {
    tool_choice: choice.own,
    response_format: format.own,
    max_tokens: limit.own,
    top_k: topK,
    ...reasoning.own,
    stream_options: decodeStreamOptions(fields),
  };
  return { ...call, ...asExtras({ ...own, ...fields.rest() }) };
}

/** The newer name of the same; where both were said the older one, which most vendors know, is the user. */
function decodeUser(fields: Fields): Pick<ModelCall, "user" | "safetyIdentifier"> {
  const user = fields.optionalString("user");
  const safetyIdentifier = fields.optionalString("safety_identifier");
  return { user: user ?? safetyIdentifier, safetyIdentifier };
}

function decodeLogprobs(fields: Fields): number | undefined {
  const wanted = fields.optionalBoolean("logprobs");
  const top = fields.optionalInteger("top_logprobs");
  if (wanted === true) return top ?? 0;
  if (top !== undefined && top > 0) throw invalid("top_logprobs", 'needs "logprobs": true beside it');
  return undefined;
}

function decodeModalities(fields: Fields): readonly string[] | undefined {
  const modalities = fields.optionalList("modalities");
  if (modalities === undefined || modalities.every((word): word is string => typeof word === "string")) return modalities;
  throw invalid("modalities", "must be a list of strings");
}

/** The stream itself is asked for beside the call, and usage with it; what else stands in the options is this protocol's own. */
function decodeStreamOptions(fields: Fields): Record<string, unknown> | undefined {
  fields.optionalBoolean("stream");
  const options = fields.optionalFields("stream_options");
  options?.optionalBoolean("include_usage");
  return options?.rest();
}

/** Both limits at once are kept both, as they came; the newer one is the neutral one. */
function decodeLimit(fields: Fields): { neutral: number | undefined; own: number | undefined } {
  const newer = fields.optionalInteger("max_completion_tokens");
  const older = fields.optionalInteger("max_tokens");
  return newer === undefined ? { neutral: older, own: undefined } : { neutral: newer, own: older };
}

function decodeStop(fields: Fields): readonly string[] | undefined {
  const stop = fields.raw("stop");
  if (stop === undefined || stop === null) return undefined;
  if (typeof stop === "string") return [stop];
  if (Array.isArray(stop) && stop.every((word): word is string => typeof word === "string")) return stop;
  throw invalid("stop", "must be a string or a list of strings");
}

function decodeFormat(fields: Fields): { neutral?: OutputFormat; own?: unknown } {
  const format = fields.optionalFields("response_format");
  if (format === undefined) return {};
  switch (format.string("type")) {
    case "text":
      return { neutral: { type: "text" } };
    case "json_object":
      return { neutral: { type: "json" } };
    case "json_schema":
      return decodeSchema(format.fields("json_schema"), fields.raw("response_format"));
    default:
      return { own: fields.raw("response_format") };
  }
}

/** A schema that is only named is known to the vendor alone. */
function decodeSchema(format: Fields, own: unknown): { neutral?: OutputFormat; own?: unknown } {
  const name = format.string("name");
  const schema = format.optionalObject("schema");
  const strict = format.optionalBoolean("strict");
  const description = format.optionalString("description");
  if (schema === undefined) return { own };
  return { neutral: { type: "json-schema", name, schema: schema as JsonObject, strict, description } };
}
