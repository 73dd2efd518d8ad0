import type { HostedTool, JsonObject, ModelCall, ToolChoice, ToolSpec } from "../../../calls/index.js";
import { unsupported } from "../../shared/fields.js";
import { encodeCache, type Block } from "../cache-control.js";
import { messagesExtras } from "../extras.js";
import { kept, type Encoding } from "./encoding.js";
import { strictSchema } from "./strict-schema.js";

/** `tools` and `tool_choice`. Where only some of the tools are allowed, only those are declared: the protocol has no other way to say it. */
export function encodeTools(call: ModelCall, encoding: Encoding): { tools?: unknown[]; tool_choice?: unknown } {
  const { toolChoice: choice } = call;
  const allowed = typeof choice === "object" && "allowed" in choice ? new Set(choice.allowed) : null;
  if (allowed !== null) encoding.warn({ field: "toolChoice.allowed", what: "was sent as the only tools that are declared" });
  const given = (call.tools ?? []).filter((tool) => allowed === null || allowed.has(nameOf(tool)));
  const tools = given.map((tool) => encodeTool(tool, call.tools?.indexOf(tool) ?? 0, encoding));
  // Without tools nothing is chosen; that one of none has to be called, the vendor may say itself.
  const chosen = tools.length === 0 && !isForced(choice) ? undefined : encodeChoice(call);
  return {
    ...(tools.length === 0 && call.tools?.length !== 0 ? {} : { tools }),
    ...(chosen === undefined ? {} : { tool_choice: chosen }),
  };
}

/** A choice that leaves the model no way but to call a tool. */
export function isForced(choice: ToolChoice | undefined): boolean {
  if (typeof choice !== "object") return choice === "required";
  return "name" in choice || choice.required;
}

function nameOf(tool: ToolSpec | HostedTool): string {
  if (!("hosted" in tool)) return tool.name;
  const { name } = tool.definition;
  return typeof name === "string" ? name : "";
}

function encodeTool(tool: ToolSpec | HostedTool, i: number, encoding: Encoding): Block {
  if ("hosted" in tool) {
    if (tool.hosted !== "anthropic-messages") throw unsupported(`tools[${i}]`, `is a tool that only a vendor of ${tool.hosted} runs`);
    return kept({ ...tool.definition }, encoding);
  }
  if (tool.input === "text") throw unsupported(`tools[${i}]`, "takes free text, which tools of Messages do not");
  const { cache_control: control, ...extras } = messagesExtras(tool);
  return kept(
    {
      ...extras,
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      input_schema: inputSchema(tool, i, encoding),
      ...(tool.strict === undefined ? {} : { strict: tool.strict }),
      ...encodeCache(tool.cache, control),
    },
    encoding,
  );
}

/** The vendor wants `type: "object"` at the top, which some leave out for a tool without arguments. */
function inputSchema(tool: ToolSpec, i: number, { warn }: Encoding): JsonObject {
  const schema = tool.inputSchema["type"] === undefined ? { ...tool.inputSchema, type: "object" } : tool.inputSchema;
  return tool.strict === true ? strictSchema(schema, (what) => warn({ field: `tools[${i}].inputSchema`, what })) : schema;
}

function encodeChoice({ toolChoice: choice, parallelToolCalls: parallel, ...call }: ModelCall): unknown {
  const own = messagesExtras(call)["tool_choice"];
  if (choice === "none") return { ...(own as object | undefined), type: "none" };
  if (choice === undefined && parallel !== false) return undefined;
  const alone = parallel === undefined ? {} : { disable_parallel_tool_use: !parallel };
  const named =
    typeof choice === "object" && "name" in choice ? { type: "tool", name: choice.name } : { type: isForced(choice) ? "any" : "auto" };
  return { ...(own as object | undefined), ...named, ...alone };
}
