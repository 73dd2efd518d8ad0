import type { ModelCall, OutputFormat } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { invalid, type Fields } from "../../shared/fields.js";
import { said } from "../extras.js";
import { fieldsOf, googleFields } from "../proto-json.js";
import { fromOpenApi } from "../schema/from-open-api.js";
import { toGoogleSchema } from "../schema/to-google-schema.js";
import { decodeThinking, encodeThinking } from "./thinking-config.js";

type Own = Readonly<Record<string, unknown>>;
type Warn = (field: string, what: string) => void;

/** How many stop sequences Google takes. Source: https://ai.google.dev/api/generate-content#generationconfig. */
export const maxStopSequences = 5;
/** Schemas have no name in Google's protocol. */
const schemaName = "response";

/** `generationConfig` of a caller; `own` is what has no neutral meaning. */
export function decodeConfig(body: Fields): { readonly neutral: Partial<ModelCall>; readonly own: Own | undefined } {
  const config = fieldsOf(body, "generationConfig") ?? googleFields({}, "generationConfig");
  const thinking = decodeThinking(config);
  const format = decodeOutput(config);
  const logprobs = decodeLogprobs(config);
  const neutral = {
    output: format.neutral,
    maxOutputTokens: config.optionalInteger("maxOutputTokens"),
    temperature: config.optionalNumber("temperature"),
    topP: config.optionalNumber("topP"),
    topK: config.optionalNumber("topK"),
    stop: decodeTexts(config, "stopSequences"),
    seed: config.optionalInteger("seed"),
    presencePenalty: config.optionalNumber("presencePenalty"),
    frequencyPenalty: config.optionalNumber("frequencyPenalty"),
    n: config.optionalInteger("candidateCount"),
    reasoning: thinking.neutral,
    logprobs: logprobs.neutral,
    outputModalities: decodeTexts(config, "responseModalities")?.map((name) => name.toLowerCase()),
  };
  return { neutral, own: said({ ...config.rest(), ...format.own, ...logprobs.own, thinkingConfig: thinking.own }) };
}

function decodeTexts(config: Fields, key: string): readonly string[] | undefined {
  return config.optionalList(key)?.map((value, i) => {
    if (typeof value === "string") return value;
    throw invalid(`${config.path(key)}[${i}]`, "must be a string");
  });
}

/** `logprobs` without `responseLogprobs` asks for nothing. */
function decodeLogprobs(config: Fields): { neutral?: number; own?: Own } {
  const wanted = config.optionalBoolean("responseLogprobs");
  const top = config.optionalInteger("logprobs");
  return wanted === true ? { neutral: top ?? 0 } : { own: { responseLogprobs: wanted, logprobs: top } };
}

/** A schema in Google's own form is kept beside its neutral one, so that it goes back to Google as it came. */
function decodeOutput(config: Fields): { neutral?: OutputFormat; own?: Own } {
  const type = config.optionalString("responseMimeType");
  const own = config.optionalObject("responseSchema");
  const schema = config.optionalObject("responseJsonSchema") ?? config.optionalObject("_responseJsonSchema");
  if (type === "text/plain" && own === undefined && schema === undefined) return { neutral: { type: "text" } };
  if (type !== "application/json") return { own: { responseMimeType: type, responseSchema: own, responseJsonSchema: schema } };
  if (schema !== undefined) return { neutral: { type: "json-schema", name: schemaName, schema: schema as never } };
  if (own === undefined) return { neutral: { type: "json" } };
  return { neutral: { type: "json-schema", name: schemaName, schema: fromOpenApi(own) }, own: { responseSchema: own } };
}

/** `generationConfig` of a request; undefined when there is nothing to say. */
export function encodeConfig(call: ModelCall, given: unknown, warn: Warn): Own | undefined {
  const { thinkingConfig, responseSchema, ...own } = isObject(given) ? given : {};
  const thinking = call.reasoning === undefined ? undefined : encodeThinking(call.reasoning, warn);
  return said({
    ...own,
    ...(call.output === undefined ? { responseSchema } : encodeOutput(call.output, responseSchema, warn)),
    maxOutputTokens: call.maxOutputTokens,
    temperature: call.temperature,
    topP: call.topP,
    topK: call.topK,
    stopSequences: call.stop,
    seed: call.seed,
    presencePenalty: call.presencePenalty,
    frequencyPenalty: call.frequencyPenalty,
    candidateCount: call.n,
    ...(call.logprobs === undefined ? {} : { responseLogprobs: true, ...(call.logprobs === 0 ? {} : { logprobs: call.logprobs }) }),
    responseModalities: call.outputModalities?.map((name) => name.toUpperCase()),
    thinkingConfig:
      thinking === undefined && thinkingConfig === undefined ? undefined : { ...(thinkingConfig as Own | undefined), ...thinking },
  });
}

function encodeOutput(output: OutputFormat, own: unknown, warn: Warn): Own {
  if (output.type === "text") return { responseMimeType: "text/plain" };
  if (output.type === "json") return { responseMimeType: "application/json" };
  const { schema, description } = output;
  if (isSame(own, schema)) return { responseMimeType: "application/json", responseSchema: own };
  const described = description === undefined || schema["description"] !== undefined ? schema : { ...schema, description };
  return { responseMimeType: "application/json", responseJsonSchema: toGoogleSchema(described, "output.schema", warn) };
}

/** Whether the neutral schema still says what came in Google's own form. */
export function isSame(own: unknown, schema: unknown): boolean {
  return isObject(own) && JSON.stringify(fromOpenApi(own)) === JSON.stringify(schema);
}
