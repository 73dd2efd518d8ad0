import type { HostedTool, JsonObject, ModelCall, ToolChoice, ToolSpec } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { Fields, invalid, unsupported } from "../../shared/fields.js";
import { cacheOf, markOf, type Marking } from "../cache-marks.js";
import { asExtras, chatExtras } from "../extras.js";
import { legacyCall } from "../legacy-call.js";

type Tools = NonNullable<ModelCall["tools"]>;

/** `tools` and the legacy `functions`, in order. A tool of a kind that has no neutral form is the vendor's own. Errors: `validation_failed`, also for a name that stands twice. */
export function decodeTools(fields: Fields): { readonly tools: Tools | undefined } {
  const tools: (ToolSpec | HostedTool)[] = [];
  const given = fields.optionalList("tools");
  given?.forEach((value, i) => {
    const tool = new Fields(value, `tools[${i}]`);
    const type = tool.string("type");
    if (type === "function") addTool(tools, decodeFunction(tool.fields("function"), tool.rest()), `tools[${i}].function.name`);
    else if (type === "custom") addTool(tools, decodeCustom(tool.fields("custom"), tool.rest()), `tools[${i}].custom.name`);
    else tools.push({ hosted: "openai-chat", definition: value as JsonObject });
  });
  const legacy = fields.optionalList("functions");
  legacy?.forEach((value, i) => {
    const spec = decodeFunction(new Fields(value, `functions[${i}]`), { type: "functions" });
    addTool(tools, { ...spec, calledAs: legacyCall }, `functions[${i}].name`);
  });
  return { tools: tools.length > 0 || given !== undefined ? tools : undefined };
}

/** Whoever declares functions of the time before `tools` knows one call a turn: no more are asked for. */
export function decodeParallel(fields: Fields, tools: Tools | undefined): boolean | undefined {
  return fields.optionalBoolean("parallel_tool_calls") ?? (areLegacy(tools) ? false : undefined);
}
export function encodeParallel({ parallelToolCalls, tools }: Pick<ModelCall, "parallelToolCalls" | "tools">): boolean | undefined {
  return parallelToolCalls === false && areLegacy(tools) ? undefined : parallelToolCalls;
}
function areLegacy(tools: Tools | undefined): boolean {
  return tools !== undefined && tools.length > 0 && tools.every((tool) => !("hosted" in tool) && chatExtras(tool)["type"] === "functions");
}

function addTool(tools: (ToolSpec | HostedTool)[], spec: ToolSpec, path: string): void {
  if (tools.some((other) => !("hosted" in other) && other.name === spec.name)) throw invalid(path, "names a tool that is there already");
  tools.push(spec);
}

/** A function without `parameters` takes none, which as a schema is an object without properties. */
function decodeFunction(called: Fields, rest: Record<string, unknown> | undefined): ToolSpec {
  return {
    name: called.string("name"),
    description: called.optionalString("description"),
    inputSchema: (called.optionalObject("parameters") ?? { type: "object", properties: {} }) as JsonObject,
    strict: called.optionalBoolean("strict"),
    ...cacheOf(rest),
    ...asExtras({ ...rest, function: called.rest() }),
  };
}

function decodeCustom(custom: Fields, rest: Record<string, unknown> | undefined): ToolSpec {
  const format = decodeFormat(custom.raw("format"));
  return {
    name: custom.string("name"),
    description: custom.optionalString("description"),
    inputSchema: {},
    input: "text",
    ...(format.grammar === undefined ? {} : { grammar: format.grammar }),
    ...cacheOf(rest),
    ...asExtras({ ...rest, custom: joinedOwn(custom.rest(), format.own) }),
  };
}

/** Text of any form is what a tool of text takes anyhow; a form that nobody knows is the vendor's own. */
function decodeFormat(format: unknown): { readonly grammar?: NonNullable<ToolSpec["grammar"]>; readonly own?: unknown } {
  const grammar = isObject(format) && format["type"] === "grammar" && isObject(format["grammar"]) ? format["grammar"] : {};
  const { syntax, definition } = grammar;
  if (typeof syntax === "string" && typeof definition === "string") return { grammar: { syntax, definition } };
  return format === undefined || format === null ? {} : { own: format };
}
function joinedOwn(rest: Record<string, unknown> | undefined, format: unknown): Record<string, unknown> | undefined {
  return format === undefined ? rest : { ...rest, format };
}

export function encodeTools(given: Tools | undefined, marking: Marking): { tools?: unknown[]; functions?: unknown[] } {
  const tools: unknown[] = [];
  const functions: unknown[] = [];
  given?.forEach((tool, i) => {
    if (!("hosted" in tool) && chatExtras(tool)["type"] === "functions") functions.push(encodeFunction(tool));
    else tools.push("hosted" in tool ? hosted(tool, i) : encodeTool(tool, `tools[${i}]`, marking));
  });
  return {
    ...(tools.length > 0 || (given !== undefined && functions.length === 0) ? { tools } : {}),
    ...(functions.length > 0 ? { functions } : {}),
  };
}

function hosted(tool: HostedTool, i: number): JsonObject {
  if (tool.hosted !== "openai-chat") throw unsupported(`tools[${i}]`, "is a tool that only its own vendor runs");
  return tool.definition;
}

function encodeTool(spec: ToolSpec, path: string, marking: Marking): unknown {
  const { function: _function, custom, ...extras } = markOf(spec, path, marking);
  if (spec.input === "text") {
    const format = spec.grammar === undefined ? {} : { format: { type: "grammar", grammar: spec.grammar } };
    const own = isObject(custom) ? custom : {};
    return { ...extras, type: "custom", custom: { ...own, ...format, name: spec.name, description: spec.description } };
  }
  return { ...extras, type: "function", function: { ...encodeFunction(spec), strict: spec.strict } };
}

/** What a function is in `tools` as in the legacy `functions`. */
function encodeFunction(spec: ToolSpec): Record<string, unknown> {
  const { function: own } = chatExtras(spec);
  return { ...(isObject(own) ? own : {}), name: spec.name, description: spec.description, parameters: spec.inputSchema };
}

/** A choice of a vendor's own tool has no neutral form. */
export function decodeToolChoice(fields: Fields): { neutral?: ToolChoice; own?: unknown } {
  const choice = fields.raw("tool_choice");
  if (choice === undefined || choice === null) return decodeFunctionChoice(fields);
  if (choice === "auto" || choice === "none" || choice === "required") return { neutral: choice };
  if (typeof choice === "string") throw invalid("tool_choice", 'must be "auto", "none", "required" or an object');
  const chosen = new Fields(choice, "tool_choice");
  if (chosen.string("type") !== "allowed_tools") {
    const name = nameOf(chosen);
    return name === undefined ? { own: choice } : { neutral: { name } };
  }
  const allowed = chosen.fields("allowed_tools");
  const names = allowed.list("tools").map((tool, i) => nameOf(new Fields(tool, `tool_choice.allowed_tools.tools[${i}]`)));
  if (!names.every((name) => name !== undefined)) return { own: choice };
  return { neutral: { allowed: names, required: allowed.string("mode") === "required" } };
}

/** The choice of the time before `tool_choice`. */
function decodeFunctionChoice(fields: Fields): { neutral?: ToolChoice } {
  const choice = fields.raw("function_call");
  if (choice === undefined || choice === null) return {};
  if (choice === "auto" || choice === "none") return { neutral: choice };
  if (typeof choice === "string") throw invalid("function_call", 'must be "auto", "none" or an object');
  return { neutral: { name: new Fields(choice, "function_call").string("name") } };
}

function nameOf(tool: Fields): string | undefined {
  const type = tool.string("type");
  return type === "function" || type === "custom" ? tool.fields(type).string("name") : undefined;
}

/** The field that says which tools may be called: functions of the time before `tools` have their own. */
export function encodeToolChoice(
  call: Pick<ModelCall, "toolChoice" | "tools">,
  own: unknown,
): { tool_choice?: unknown; function_call?: unknown } {
  const { toolChoice, tools } = call;
  if (toolChoice === undefined) return { tool_choice: own };
  if (areLegacy(tools) && toolChoice !== "required" && (typeof toolChoice === "string" || "name" in toolChoice))
    return { function_call: toolChoice };
  return { tool_choice: encodedChoice(toolChoice, tools) };
}

function encodedChoice(choice: ToolChoice, tools: Tools | undefined): unknown {
  if (typeof choice === "string") return choice;
  if ("name" in choice) return named(choice.name, tools);
  const allowed = choice.allowed.map((name) => named(name, tools));
  return { type: "allowed_tools", allowed_tools: { mode: choice.required ? "required" : "auto", tools: allowed } };
}

function named(name: string, tools: Tools | undefined): unknown {
  const isText = tools?.some((tool) => !("hosted" in tool) && tool.name === name && tool.input === "text") ?? false;
  return isText ? { type: "custom", custom: { name } } : { type: "function", function: { name } };
}
