import type { HostedTool, JsonObject, ModelCall, ToolChoice, ToolSpec } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { Fields, invalid, unsupported } from "../../shared/fields.js";
import { asExtras, ownExtras, type Json } from "../extras.js";
import type { Encoding } from "./encoding.js";

type Tool = ToolSpec | HostedTool;

/** Functions and custom tools are neutral; what the vendor itself runs goes back to this protocol alone, as it came. */
export function decodeTools(fields: Fields): readonly Tool[] | undefined {
  const names = new Set<string>();
  return fields.optionalList("tools")?.map((value, i) => {
    const tool = decodeTool(new Fields(value, `tools[${i}]`), value as JsonObject);
    if ("hosted" in tool) return tool;
    if (names.has(tool.name)) throw invalid(`tools[${i}].name`, "names a tool that is there already");
    names.add(tool.name);
    return tool;
  });
}

function decodeTool(tool: Fields, definition: JsonObject): Tool {
  const type = tool.string("type");
  if (type !== "function" && type !== "custom") return { hosted: "openai-responses", definition };
  const name = tool.string("name");
  const description = tool.optionalString("description");
  const said = { name, ...(description === undefined ? {} : { description }) };
  if (type === "custom") return { ...said, inputSchema: {}, input: "text", ...decodeCustom(tool) };
  const inputSchema = (tool.optionalObject("parameters") ?? { type: "object", properties: {} }) as JsonObject;
  const strict = tool.optionalBoolean("strict");
  return { ...said, inputSchema, ...(strict === undefined ? {} : { strict }), ...asExtras(tool.rest()) };
}

/** What a custom tool's text has to follow; a format of another kind is the vendor's own. */
function decodeCustom(tool: Fields): Pick<ToolSpec, "grammar" | "extras"> {
  const format = tool.raw("format");
  const { type, syntax, definition } = isObject(format) ? format : ({} as Json);
  if (type === "grammar" && typeof syntax === "string" && typeof definition === "string")
    return { grammar: { syntax, definition }, ...asExtras(tool.rest()) };
  return asExtras({ ...tool.rest(), ...(format === undefined ? {} : { format }) });
}

/** Errors: `unsupported_feature` for a tool that the vendor of another protocol runs. */
export function encodeTools(tools: readonly Tool[] | undefined, encoding: Encoding): { tools?: unknown[] } {
  if (tools === undefined) return {};
  return { tools: tools.map((tool, i) => encodeTool(tool, `tools[${i}]`, encoding)) };
}

function encodeTool(tool: Tool, path: string, encoding: Encoding): Json {
  if ("hosted" in tool) {
    if (tool.hosted === "openai-responses") return tool.definition;
    throw unsupported(path, `is a tool that only a vendor of ${tool.hosted} runs`);
  }
  encoding.leaveMark(tool, path);
  const { name, description, inputSchema, strict } = tool;
  const said = { name, ...(description === undefined ? {} : { description }) };
  if (tool.input === "text") {
    const format = tool.grammar === undefined ? {} : { format: { type: "grammar", ...tool.grammar } };
    return { ...ownExtras(tool), type: "custom", ...said, ...format };
  }
  // Left out, the vendor would hold the model to the schema, and refuse one that is not written for that.
  const strictness = strict ?? (encoding.own ? undefined : false);
  return {
    ...ownExtras(tool),
    type: "function",
    ...said,
    parameters: inputSchema,
    ...(strictness === undefined ? {} : { strict: strictness }),
  };
}

/** A choice of hosted tools has no neutral form. */
export function decodeToolChoice(fields: Fields): { neutral?: ToolChoice; own?: unknown } {
  const choice = fields.raw("tool_choice");
  if (choice === undefined || choice === null) return {};
  if (choice === "auto" || choice === "none" || choice === "required") return { neutral: choice };
  if (typeof choice === "string") throw invalid("tool_choice", 'must be "auto", "none", "required" or an object');
  const named = new Fields(choice, "tool_choice");
  const type = named.string("type");
  if (type === "function" || type === "custom") return { neutral: { name: named.string("name") } };
  if (type !== "allowed_tools") return { own: choice };
  const allowed = named.list("tools").map(nameOf);
  if (allowed.includes(undefined)) return { own: choice };
  return { neutral: { allowed: allowed as string[], required: named.string("mode") === "required" } };
}
function nameOf(tool: unknown): string | undefined {
  const named = isObject(tool) && (tool["type"] === "function" || tool["type"] === "custom") && typeof tool["name"] === "string";
  return named ? (tool["name"] as string) : undefined;
}

export function encodeToolChoice(choice: ToolChoice, tools: ModelCall["tools"]): unknown {
  if (typeof choice === "string") return choice;
  const named = (name: string) => {
    const isText = tools?.some((tool) => !("hosted" in tool) && tool.name === name && tool.input === "text") === true;
    return { type: isText ? "custom" : "function", name };
  };
  if ("name" in choice) return named(choice.name);
  return { type: "allowed_tools", mode: choice.required ? "required" : "auto", tools: choice.allowed.map(named) };
}
