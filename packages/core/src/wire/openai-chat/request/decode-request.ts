import type { JsonObject, ModelCall, OutputFormat, ToolChoice, ToolSpec } from "../../../calls/index.js";
import { parseCallerJson } from "../../shared/caller-json.js";
import { Fields, invalid } from "../../shared/fields.js";
import { asExtras } from "../extras.js";
import { decodeMessages } from "./decode-messages.js";

/** `Codec.decodeRequest` of Chat Completions: what is null or absent is undefined, what has no neutral meaning rides in `extras`. */
export function decodeRequest(bytes: Uint8Array): ModelCall {
  const fields = new Fields(parseCallerJson(bytes));
  const model = fields.string("model");
  const messages = decodeMessages(fields.list("messages"));
  const tools = decodeTools(fields);
  const choice = decodeToolChoice(fields);
  const format = decodeFormat(fields);
  const limit = decodeLimit(fields);
  const call = {
    model,
    messages,
    tools: tools.specs,
    toolChoice: choice.neutral,
    parallelToolCalls: fields.optionalBoolean("parallel_tool_calls"),
    output: format.neutral,
    maxOutputTokens: limit.neutral,
    temperature: fields.optionalNumber("temperature"),
    topP: fields.optionalNumber("top_p"),
    stop: decodeStop(fields),
    seed: fields.optionalInteger("seed"),
    presencePenalty: fields.optionalNumber("presence_penalty"),
    frequencyPenalty: fields.optionalNumber("frequency_penalty"),
    n: fields.optionalInteger("n"),
    reasoning: asReasoning(fields.optionalString("reasoning_effort")),
    user: fields.optionalString("user"),
    metadata: fields.optionalObject("metadata") as ModelCall["metadata"],
  };
  const own = { tools: tools.own, tool_choice: choice.own, response_format: format.own, max_tokens: limit.own };
  return { ...call, ...asExtras({ ...own, stream_options: decodeStreamOptions(fields), ...fields.rest() }) };
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

/** Function tools, today's and the legacy ones, are neutral; all others are given back to this protocol alone. */
function decodeTools(fields: Fields): { specs: readonly ToolSpec[] | undefined; own: unknown[] | undefined } {
  const specs: ToolSpec[] = [];
  const own: unknown[] = [];
  const given = fields.optionalList("tools");
  given?.forEach((value, i) => {
    const tool = new Fields(value, `tools[${i}]`);
    if (tool.string("type") === "function")
      addTool(specs, decodeFunction(tool.fields("function"), tool.rest()), `tools[${i}].function.name`);
    else own.push(value);
  });
  const legacy = fields.optionalList("functions");
  legacy?.forEach((value, i) =>
    addTool(specs, decodeFunction(new Fields(value, `functions[${i}]`), { type: "functions" }), `functions[${i}].name`),
  );
  const said = specs.length > 0 || (given !== undefined && own.length === 0);
  return { specs: said ? specs : undefined, own: own.length === 0 ? undefined : own };
}

function addTool(specs: ToolSpec[], spec: ToolSpec, path: string): void {
  if (specs.some((other) => other.name === spec.name)) throw invalid(path, "names a tool that is there already");
  specs.push(spec);
}

/** A function without `parameters` takes none, which as a schema is an object without properties. */
function decodeFunction(called: Fields, rest: Record<string, unknown> | undefined): ToolSpec {
  return {
    name: called.string("name"),
    description: called.optionalString("description"),
    inputSchema: (called.optionalObject("parameters") ?? { type: "object", properties: {} }) as JsonObject,
    strict: called.optionalBoolean("strict"),
    ...asExtras({ ...rest, function: called.rest() }),
  };
}

/** `allowed_tools` and custom tools have no neutral form, nor has the legacy `function_call`, which stays in the rest. */
function decodeToolChoice(fields: Fields): { neutral?: ToolChoice; own?: unknown } {
  const choice = fields.raw("tool_choice");
  if (choice === undefined || choice === null) return {};
  if (choice === "auto" || choice === "none" || choice === "required") return { neutral: choice };
  if (typeof choice === "string") throw invalid("tool_choice", 'must be "auto", "none", "required" or an object');
  const named = new Fields(choice, "tool_choice");
  return named.string("type") === "function" ? { neutral: { name: named.fields("function").string("name") } } : { own: choice };
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

function asReasoning(effort: string | undefined): ModelCall["reasoning"] {
  return effort === undefined ? undefined : { effort };
}
