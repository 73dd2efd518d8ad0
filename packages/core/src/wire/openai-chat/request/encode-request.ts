import type { HostedTool, ModelCall, OutputFormat, ToolChoice, ToolSpec } from "../../../calls/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks } from "../../shared/codec.js";
import { unsupported } from "../../shared/fields.js";
import { chatExtras } from "../extras.js";
import { encodeMessages } from "./encode-messages.js";
import { chatPath, requestHeaders } from "./splice-request.js";

/**
 * `Codec.encodeRequest` of Chat Completions. Equal calls have equal bytes, so that a vendor's prompt cache recognises them: nothing here is random, and lists keep
 * their order. Errors: `unsupported_feature` for content that the protocol cannot carry.
 */
export function encodeRequest(
  call: ModelCall,
  o: { readonly model: string; readonly stream: boolean; readonly quirks: Quirks },
): EncodedRequest {
  const { tools, tool_choice, response_format, stream_options, ...extras } = chatExtras(call);
  const limit = o.quirks.maxTokensField ?? "max_completion_tokens";
  const body = {
    ...extras,
    model: o.model,
    messages: encodeMessages(call.messages, o.quirks),
    ...encodeTools(call.tools, tools),
    tool_choice: call.toolChoice === undefined ? tool_choice : encodeToolChoice(call.toolChoice),
    parallel_tool_calls: call.parallelToolCalls,
    response_format: call.output === undefined ? response_format : encodeFormat(call.output),
    ...(call.maxOutputTokens === undefined ? {} : { [limit]: call.maxOutputTokens }),
    temperature: call.temperature,
    top_p: call.topP,
    stop: call.stop,
    seed: call.seed,
    presence_penalty: call.presencePenalty,
    frequency_penalty: call.frequencyPenalty,
    n: call.n,
    reasoning_effort: call.reasoning?.effort,
    user: call.user,
    metadata: call.metadata,
    ...(o.stream ? { stream: true, ...encodeStreamOptions(stream_options, o.quirks) } : {}),
  };
  return { path: chatPath, headers: requestHeaders(o.stream), bytes: utf8(JSON.stringify(body)) };
}

function encodeStreamOptions(own: unknown, quirks: Quirks): { stream_options?: unknown } {
  const options = { ...(isObject(own) ? own : {}), ...(quirks.usageInStream === false ? {} : { include_usage: true }) };
  return Object.keys(options).length === 0 ? {} : { stream_options: options };
}

function encodeTools(given: readonly (ToolSpec | HostedTool)[] | undefined, own: unknown): { tools?: unknown[]; functions?: unknown[] } {
  const specs = given?.map((tool, i) => {
    if ("hosted" in tool) throw unsupported(`tools[${i}]`, "is a tool that only its own vendor runs");
    return tool;
  });
  const legacy = specs?.filter((spec) => chatExtras(spec)["type"] === "functions") ?? [];
  const tools = [
    ...(specs?.filter((spec) => !legacy.includes(spec)) ?? []).map(encodeTool),
    ...(Array.isArray(own) ? (own as unknown[]) : []),
  ];
  return {
    ...(tools.length > 0 || (specs !== undefined && legacy.length === 0) ? { tools } : {}),
    ...(legacy.length > 0 ? { functions: legacy.map(encodeFunction) } : {}),
  };
}

function encodeTool(spec: ToolSpec): unknown {
  const { function: _own, ...extras } = chatExtras(spec);
  return { ...extras, type: "function", function: { ...encodeFunction(spec), strict: spec.strict } };
}
/** What a function is in `tools` as in the legacy `functions`. */
function encodeFunction(spec: ToolSpec): Record<string, unknown> {
  const { function: own } = chatExtras(spec);
  return { ...(isObject(own) ? own : {}), name: spec.name, description: spec.description, parameters: spec.inputSchema };
}

function encodeToolChoice(choice: ToolChoice): unknown {
  if (typeof choice === "string") return choice;
  if ("name" in choice) return { type: "function", function: { name: choice.name } };
  const tools = choice.allowed.map((name) => ({ type: "function", function: { name } }));
  return { type: "allowed_tools", allowed_tools: { mode: choice.required ? "required" : "auto", tools } };
}

function encodeFormat(output: OutputFormat): unknown {
  switch (output.type) {
    case "text":
      return { type: "text" };
    case "json":
      return { type: "json_object" };
    case "json-schema": {
      const { name, schema, strict, description } = output;
      return { type: "json_schema", json_schema: { name, description, schema, strict } };
    }
  }
}
