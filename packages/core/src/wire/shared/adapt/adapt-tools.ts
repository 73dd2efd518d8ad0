import type { HostedTool, JsonObject, Message, ModelCall, ProtocolId, ToolChoice, ToolSpec } from "../../../calls/index.js";
import { invalid, unsupported } from "../fields.js";
import type { Adapting } from "./adapting.js";
import { fitNames } from "./fit-names.js";
import { asFunction, asFunctionCall } from "./text-tools.js";

/** What was done to the tools, for the way back. */
export interface AdaptedTools {
  readonly call: ModelCall;
  /** Names that were changed: the caller's name for each of the target's. */
  readonly names: ReadonlyMap<string, string>;
  /** Tools that take text and were sent as functions, by the target's name. */
  readonly textTools: ReadonlySet<string>;
}

/**
 * Tools, calls of earlier turns and the choice of tools in the target's terms: names that it takes, functions for tools of text.
 * Errors: `validation_failed` for a name that stands twice, `unsupported_feature` for a tool that only another protocol's vendor runs.
 */
export function adaptTools(call: ModelCall, adapting: Adapting): AdaptedTools {
  const { target } = adapting;
  if (call.tools === undefined && call.toolChoice === undefined && !call.messages.some(hasCalls))
    return { call, names: NONE, textTools: NO_TOOLS };
  const given = withDeclaredTools(call, adapting);
  given.tools?.forEach((tool, i) => checkTool(tool, i, { tools: given.tools ?? [], protocol: target.protocol }));
  const fitted = fitNames(namesIn(given), target.traits.toolName);
  const nameOf = (name: string) => fitted.get(name) ?? name;
  const asJson = !(target.quirks.textTools ?? target.traits.textTools);
  const textTools = new Set<string>();
  const tools = given.tools?.map((tool, i) => {
    if ("hosted" in tool) return tool;
    const named = fitted.has(tool.name) ? { ...tool, name: nameOf(tool.name) } : tool;
    if (tool.input !== "text" || !asJson) return named;
    textTools.add(named.name);
    const unbound = tool.grammar === undefined ? "" : ", and its grammar was told to the model in words";
    adapting.warn(`tools[${i}]`, `takes text and was sent as a function of one text${unbound}`);
    return asFunction(named);
  });
  const messages = given.messages.map((message) => withCalls(message, { nameOf, asJson }));
  const choice = given.toolChoice === undefined ? {} : { toolChoice: chosen(given.toolChoice, nameOf) };
  return {
    call: { ...given, messages, ...(tools === undefined ? {} : { tools }), ...choice },
    names: new Map([...fitted].map(([name, made]) => [made, name])),
    textTools,
  };
}

const NONE: ReadonlyMap<string, string> = new Map();
const NO_TOOLS: ReadonlySet<string> = new Set();

function hasCalls(message: Message): boolean {
  for (const part of message.content) if (part.type === "tool-call") return true;
  return false;
}

function checkTool(
  tool: ToolSpec | HostedTool,
  i: number,
  o: { readonly tools: ModelCall["tools"] & object; readonly protocol: ProtocolId },
): void {
  if ("hosted" in tool) {
    if (tool.hosted !== o.protocol) throw unsupported(`tools[${i}]`, `is a tool that only a vendor of ${tool.hosted} runs`);
    return;
  }
  if (o.tools.findIndex((other) => !("hosted" in other) && other.name === tool.name) < i)
    throw invalid(`tools[${i}].name`, "names a tool that is there already");
}

/** Some refuse tool calls in the conversation when no tools are declared; then those that were called are, and none may be called. */
function withDeclaredTools(call: ModelCall, { target, warn }: Adapting): ModelCall {
  const wanted = target.quirks.toolsWithHistory ?? target.traits.toolsWithHistory ?? false;
  if (!wanted || (call.tools?.length ?? 0) > 0) return call;
  const called = new Map<string, ToolSpec>();
  for (const message of call.messages)
    for (const part of message.content) if (part.type === "tool-call") called.set(part.name, { name: part.name, inputSchema: anyObject });
  if (called.size === 0) return call;
  warn("tools", "are those that were called before, because the target wants them declared; none may be called");
  return { ...call, tools: [...called.values()], toolChoice: "none" };
}
const anyObject: JsonObject = { type: "object", properties: {} };

function namesIn({ tools, messages, toolChoice }: ModelCall): string[] {
  const declared = (tools ?? []).flatMap((tool) => ("hosted" in tool ? [] : [tool.name]));
  const called = messages.flatMap((message) => message.content.flatMap((part) => (part.type === "tool-call" ? [part.name] : [])));
  const choice = typeof toolChoice !== "object" ? [] : "name" in toolChoice ? [toolChoice.name] : toolChoice.allowed;
  return [...declared, ...called, ...choice];
}

function chosen(choice: ToolChoice, nameOf: (name: string) => string): ToolChoice {
  if (typeof choice === "string") return choice;
  return "name" in choice ? { name: nameOf(choice.name) } : { ...choice, allowed: choice.allowed.map(nameOf) };
}

function withCalls(message: Message, o: { readonly nameOf: (name: string) => string; readonly asJson: boolean }): Message {
  if (message.role !== "assistant") return message;
  const content = message.content.map((part) => {
    if (part.type !== "tool-call") return part;
    const name = o.nameOf(part.name);
    const named = name === part.name ? part : { ...part, name };
    return part.input === "text" && o.asJson ? asFunctionCall(named) : named;
  });
  return content.some((part, i) => part !== message.content[i]) ? { ...message, content } : message;
}
