import type { JsonObject, Message, ModelCall, OutputFormat, ReasoningOptions } from "../../../calls/index.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { Fields, invalid } from "../../shared/fields.js";
import { rawJsonAt } from "../../shared/raw-json.js";
import { asExtras } from "../extras.js";
import { decodeSystem } from "./decode-blocks.js";
import { decodeMessages } from "./decode-messages.js";
import { decodeToolChoice, decodeTools } from "./decode-tools.js";

/** Where the inputs of calls stand: they are kept as text. */
const inputPath = ["messages", "*", "content", "*", "input"];

/** The name of a schema, which this protocol does not say and others want. */
export const schemaName = "answer";

/** `Codec.decodeRequest` of Messages: what is null or absent is undefined, what has no neutral meaning rides in `extras`. */
export function decodeRequest(bytes: Uint8Array): ModelCall {
  const fields = new Fields(parseCallerJson(bytes));
  const model = fields.string("model");
  const messages = decodeMessages(fields.list("messages"), rawJsonAt(bytes, inputPath));
  const { config, output } = decodeOutput(fields);
  const { reasoning, thinking } = decodeReasoning(fields, config);
  const { user, metadata } = decodeMetadata(fields);
  const choice = decodeToolChoice(fields);
  fields.optionalBoolean("stream");
  const call = {
    model,
    messages: [...decodeSystemPrompt(fields), ...messages],
    tools: decodeTools(fields),
    ...choice.neutral,
    output,
    maxOutputTokens: decodeLimit(fields),
    temperature: fields.optionalNumber("temperature"),
    topP: fields.optionalNumber("top_p"),
    topK: fields.optionalInteger("top_k"),
    stop: decodeStop(fields),
    reasoning,
    serviceTier: decodeTier(fields.optionalString("service_tier")),
    user,
  };
  const said = Object.fromEntries(Object.entries(call).filter(([, value]) => value !== undefined)) as unknown as ModelCall;
  return { ...said, ...asExtras({ thinking, metadata, tool_choice: choice.own, output_config: config?.rest(), ...fields.rest() }) };
}

function decodeSystemPrompt(fields: Fields): Message[] {
  const content = decodeSystem(fields, "system");
  return content.length === 0 ? [] : [{ role: "system", content }];
}

/** 0 is a limit too: the prompt is read into the cache, and nothing is answered. */
function decodeLimit(fields: Fields): number | undefined {
  const limit = fields.optionalInteger("max_tokens");
  if (limit !== undefined && limit < 0) throw invalid("max_tokens", "must be a whole number of 0 or more");
  return limit;
}

function decodeStop(fields: Fields): readonly string[] | undefined {
  const stop = fields.optionalList("stop_sequences");
  if (stop === undefined) return undefined;
  if (stop.every((word): word is string => typeof word === "string")) return stop;
  throw invalid("stop_sequences", "must be a list of strings");
}

function decodeOutput(fields: Fields): { config: Fields | undefined; output: OutputFormat | undefined } {
  const config = fields.optionalFields("output_config");
  const format = config?.optionalFields("format");
  if (format === undefined) return { config, output: undefined };
  if (format.string("type") !== "json_schema") throw invalid(format.path("type"), 'must be "json_schema"');
  const schema = format.optionalObject("schema");
  if (schema === undefined) throw invalid(format.path("schema"), "is missing");
  return { config, output: { type: "json-schema", name: schemaName, schema: schema as JsonObject } };
}

/**
 * `thinking` and `output_config.effort`. `thinking` in the result is what goes back as it came: a kind that has no neutral form, or null for an effort without any word
 * on thinking, which is not the wish to think.
 */
function decodeReasoning(fields: Fields, config: Fields | undefined): { reasoning?: ReasoningOptions; thinking?: unknown } {
  const effort = config?.optionalString("effort");
  const said = effort === undefined ? {} : { effort };
  const thinking = fields.optionalFields("thinking");
  if (thinking === undefined) return effort === undefined ? {} : { reasoning: said, thinking: null };
  const display = thinking.optionalString("display");
  const type = thinking.string("type");
  const budgetTokens = thinking.optionalInteger("budget_tokens");
  // With more than we know it goes back whole.
  const own = thinking.rest() === undefined ? {} : { thinking: fields.raw("thinking") };
  const visible = display === "summarized" ? { visible: true } : display === "omitted" ? { visible: false } : {};
  switch (type) {
    case "adaptive":
      return { reasoning: { ...said, ...visible }, ...own };
    case "enabled":
      if (budgetTokens === undefined || budgetTokens < 1)
        throw invalid(thinking.path("budget_tokens"), "must be a whole number of 1024 or more");
      return { reasoning: { ...said, budgetTokens, ...visible }, ...own };
    case "disabled":
      return { reasoning: effort === undefined ? { effort: "none" } : { ...said, budgetTokens: 0 }, ...own };
    default:
      return { ...(effort === undefined ? {} : { reasoning: said }), thinking: fields.raw("thinking") };
  }
}

function decodeMetadata(fields: Fields): { user: string | undefined; metadata: Record<string, unknown> | undefined } {
  const metadata = fields.optionalFields("metadata");
  return { user: metadata?.optionalString("user_id"), metadata: metadata?.rest() };
}

function decodeTier(tier: string | undefined): string | undefined {
  return tier === "standard_only" ? "default" : tier;
}
