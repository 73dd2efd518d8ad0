import type { HostedTool, JsonObject, ModelCall, ToolChoice, ToolSpec } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { invalid, unsupported, type Fields } from "../../shared/fields.js";
import { asExtras, googleExtras, said } from "../extras.js";
import { fieldsOf, googleFields } from "../proto-json.js";
import { fromOpenApi } from "../schema/from-open-api.js";
import { toGoogleSchema } from "../schema/to-google-schema.js";
import { isSame } from "./generation-config.js";

type Own = Readonly<Record<string, unknown>>;
type Warn = (field: string, what: string) => void;
type Tools = NonNullable<ModelCall["tools"]>;

/** A function without a schema takes nothing. */
const noParameters: JsonObject = { type: "object", properties: {} };
const noParametersText = JSON.stringify(noParameters);

/** `tools` of a caller: functions are neutral, every other kind is one that Google runs. */
export function decodeTools(body: Fields): Tools | undefined {
  const tools: (ToolSpec | HostedTool)[] = [];
  const given = body.optionalList("tools");
  given?.forEach((value, i) => {
    const tool = googleFields(value, `tools[${i}]`);
    tool.optionalList("functionDeclarations")?.forEach((declared, j) => {
      const spec = decodeFunction(googleFields(declared, `tools[${i}].functionDeclarations[${j}]`));
      if (tools.some((other) => "name" in other && other.name === spec.name))
        throw invalid(`tools[${i}].functionDeclarations[${j}].name`, "names a function that is there already");
      tools.push(spec);
    });
    const hosted = tool.rest();
    if (hosted !== undefined) tools.push({ hosted: "google-genai", definition: hosted as JsonObject });
  });
  return given === undefined ? undefined : tools;
}

function decodeFunction(declared: Fields): ToolSpec {
  const own = declared.optionalObject("parameters");
  const schema = declared.optionalObject("parametersJsonSchema") as JsonObject | undefined;
  const description = declared.optionalString("description");
  return {
    name: declared.string("name"),
    ...(description === undefined ? {} : { description }),
    inputSchema: schema ?? (own === undefined ? noParameters : fromOpenApi(own)),
    ...asExtras({ ...declared.rest(), parameters: schema === undefined ? own : undefined }),
  };
}

/** Google takes one list of functions; it stands where the first function stood. */
export function encodeTools(tools: Tools, warn: Warn): unknown[] {
  const functions: unknown[] = [];
  const out: unknown[] = [];
  tools.forEach((tool, i) => {
    if ("hosted" in tool) {
      if (tool.hosted !== "google-genai") throw unsupported(`tools[${i}]`, "is a tool that only its own vendor runs");
      out.push(tool.definition);
      return;
    }
    if (tool.input === "text") throw unsupported(`tools[${i}].input`, 'is "text", for which Google has no tools');
    if (tool.cache !== undefined) warn(`tools[${i}].cache`, "was left out: Google caches by itself");
    if (functions.length === 0) out.push({ functionDeclarations: functions });
    functions.push(encodeFunction(tool, `tools[${i}].inputSchema`, warn));
  });
  return out;
}

function encodeFunction(spec: ToolSpec, field: string, warn: Warn): Own {
  const { parameters, ...own } = googleExtras(spec);
  const schema = isSame(parameters, spec.inputSchema)
    ? { parameters }
    : JSON.stringify(spec.inputSchema) === noParametersText
      ? {}
      : { parametersJsonSchema: toGoogleSchema(spec.inputSchema, field, warn) };
  return { ...own, name: spec.name, description: spec.description, ...schema };
}

export interface DecodedChoice {
  readonly neutral?: ToolChoice | undefined;
  /** Arguments are held to their schemas. */
  readonly strict: boolean;
  readonly own?: Own | undefined;
}

/** `toolConfig` of a caller. Google holds to a schema all functions or none, by the mode VALIDATED. */
export function decodeToolConfig(body: Fields): DecodedChoice {
  const config = fieldsOf(body, "toolConfig");
  if (config === undefined) return { strict: false };
  const calling = fieldsOf(config, "functionCallingConfig");
  const mode = calling?.optionalString("mode")?.toUpperCase();
  const allowed = calling?.optionalList("allowedFunctionNames")?.map((name, i) => {
    if (typeof name === "string") return name;
    throw invalid(`toolConfig.functionCallingConfig.allowedFunctionNames[${i}]`, "must be a string");
  });
  const own = said({ ...config.rest(), functionCallingConfig: said(calling?.rest()) });
  return { ...choiceOf(mode, allowed), own };
}

function choiceOf(mode: string | undefined, allowed: readonly string[] | undefined): { neutral?: ToolChoice; strict: boolean } {
  const names = allowed === undefined || allowed.length === 0 ? undefined : allowed;
  switch (mode) {
    case undefined:
    case "MODE_UNSPECIFIED":
      return { strict: false };
    case "AUTO":
      return { neutral: "auto", strict: false };
    case "NONE":
      return { neutral: "none", strict: false };
    case "ANY": {
      const only = names?.length === 1 ? names[0] : undefined;
      if (only !== undefined) return { neutral: { name: only }, strict: false };
      return { neutral: names === undefined ? "required" : { allowed: names, required: true }, strict: false };
    }
    case "VALIDATED":
      return names === undefined ? { neutral: "auto", strict: true } : { neutral: { allowed: names, required: false }, strict: false };
    default:
      throw invalid("toolConfig.functionCallingConfig.mode", 'must be "AUTO", "ANY", "NONE" or "VALIDATED"');
  }
}

/** `toolConfig` of a request; undefined when there is nothing to say. */
export function encodeToolConfig(call: ModelCall, given: unknown): Own | undefined {
  const { functionCallingConfig, ...own } = isObject(given) ? given : {};
  const isStrict = call.tools?.some((tool) => "name" in tool && tool.strict === true) === true;
  const mode = said({ ...(functionCallingConfig as Own | undefined), ...encodeChoice(call.toolChoice, isStrict) });
  return said({ ...own, functionCallingConfig: mode });
}

function encodeChoice(choice: ToolChoice | undefined, isStrict: boolean): Own {
  if (choice === undefined || choice === "auto") return isStrict ? { mode: "VALIDATED" } : choice === undefined ? {} : { mode: "AUTO" };
  if (choice === "none") return { mode: "NONE" };
  if (choice === "required") return { mode: "ANY" };
  if ("name" in choice) return { mode: "ANY", allowedFunctionNames: [choice.name] };
  // Names beside AUTO are refused; VALIDATED is AUTO with names.
  return { mode: choice.required ? "ANY" : "VALIDATED", allowedFunctionNames: choice.allowed };
}
