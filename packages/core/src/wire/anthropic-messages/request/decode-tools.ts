import type { HostedTool, JsonObject, ModelCall, ToolChoice, ToolSpec } from "../../../calls/index.js";
import { Fields, invalid } from "../../shared/fields.js";
import { decodeCache } from "../cache-control.js";
import { asExtras } from "../extras.js";

/** `tools`: those that the caller runs, and those of a type that the vendor defines, each as it was declared. */
export function decodeTools(fields: Fields): readonly (ToolSpec | HostedTool)[] | undefined {
  const names = new Set<string>();
  return fields.optionalList("tools")?.map((value, i) => {
    const tool = new Fields(value, `tools[${i}]`);
    const name = tool.optionalString("name");
    if (name !== undefined && names.has(name)) throw invalid(tool.path("name"), "names a tool that is there already");
    if (name !== undefined) names.add(name);
    const type = tool.optionalString("type");
    if (type !== undefined && type !== "custom") return { hosted: "anthropic-messages", definition: value as JsonObject };
    return decodeTool(tool, type);
  });
}

function decodeTool(tool: Fields, type: string | undefined): ToolSpec {
  const description = tool.optionalString("description");
  const strict = tool.optionalBoolean("strict");
  const inputSchema = tool.optionalObject("input_schema");
  if (inputSchema === undefined) throw invalid(tool.path("input_schema"), "is missing");
  const { cache, own } = decodeCache(tool);
  return {
    name: tool.string("name"),
    ...(description === undefined ? {} : { description }),
    inputSchema: inputSchema as JsonObject,
    ...(strict === undefined ? {} : { strict }),
    ...(cache === undefined ? {} : { cache }),
    ...asExtras({ type, ...tool.rest(), cache_control: own }),
  };
}

/** `tool_choice`, which also says whether several calls may be made at once. */
export function decodeToolChoice(fields: Fields): {
  readonly neutral: Pick<ModelCall, "toolChoice" | "parallelToolCalls">;
  readonly own: Record<string, unknown> | undefined;
} {
  const choice = fields.optionalFields("tool_choice");
  if (choice === undefined) return { neutral: {}, own: undefined };
  const disabled = choice.optionalBoolean("disable_parallel_tool_use");
  const toolChoice = chosen(choice);
  return { neutral: { toolChoice, ...(disabled === undefined ? {} : { parallelToolCalls: !disabled }) }, own: choice.rest() };
}

function chosen(choice: Fields): ToolChoice {
  switch (choice.string("type")) {
    case "auto":
      return "auto";
    case "any":
      return "required";
    case "none":
      return "none";
    case "tool":
      return { name: choice.string("name") };
    default:
      throw invalid(choice.path("type"), 'must be "auto", "any", "tool" or "none"');
  }
}
