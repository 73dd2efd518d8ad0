import type { Attributes } from "@opentelemetry/api";
import type { CallHead, Outcome, ToolHead, Usage } from "../../calls/index.js";
import type { Meter, TriedAttempt } from "../../policy/meter.js";
import type { OpenCall } from "../../policy/step.js";
import { cutText } from "../../util/well-formed.js";
import { ATTR, EXECUTE_TOOL, OPERATION, OWN, TOOLS_CALL } from "./conventions.js";

const NANO = 1e-9;
/** What callers name is cut: a name is no place for a body. */
const MOST_CHARACTERS = 200;

export function operationOf(head: CallHead): string {
  return head.kind === "tool"
    ? head.operation === undefined
      ? EXECUTE_TOOL
      : mcpMethodOf(head)
    : (OPERATION[head.operation] ?? head.operation);
}

const MCP_METHODS = { call: TOOLS_CALL, read: "resources/read", prompt: "prompts/get", complete: "completion/complete" } as const;
function mcpMethodOf({ operation = "call" }: ToolHead): string {
  return MCP_METHODS[operation];
}

/** `chat openai/gpt-5`, `tools/call files__read`. */
export function spanName(head: CallHead, redact: (text: string) => string): string {
  return `${head.kind === "tool" ? mcpMethodOf(head) : operationOf(head)} ${cutText(redact(head.name), MOST_CHARACTERS)}`;
}

/** What is known when the call begins: samplers decide by it. */
export function beginAttributes(call: OpenCall<CallHead>, redact: (text: string) => string): Attributes {
  const { head } = call;
  const common: Attributes = {
    [ATTR.operationName]: operationOf(head),
    [OWN.requestId]: call.requestId,
    [OWN.callId]: call.id,
    [OWN.callerId]: call.caller.id,
    [OWN.projectId]: call.caller.projects[0],
  };
  if (call.runId !== null) common[OWN.runId] = call.runId;
  if (call.origin !== null && call.origin.purpose !== null) common[OWN.purpose] = redact(call.origin.purpose);
  if (head.kind === "tool") {
    common[ATTR.mcpMethodName] = mcpMethodOf(head);
    common[ATTR.toolName] = cutText(redact(head.tool), MOST_CHARACTERS);
    common[OWN.server] = head.server;
    return common;
  }
  common[ATTR.requestModel] = cutText(redact(head.name), MOST_CHARACTERS);
  if (head.stream) common[ATTR.requestStream] = true;
  if (head.maxOutputTokens !== undefined) common[ATTR.requestMaxTokens] = head.maxOutputTokens;
  return common;
}

/** What is known once it is over. `vendorOf`: what the conventions call a provider of ours. */
export function endAttributes(call: OpenCall<CallHead>, outcome: Outcome, vendorOf: (provider: string) => string): Attributes {
  const { meter, head } = call;
  const attributes: Attributes = { [OWN.status]: outcome.status, [OWN.attempts]: meter.attempts };
  const error = errorType(outcome);
  if (error !== null) attributes[ATTR.errorType] = error;
  if (head.kind === "tool") return attributes;
  Object.assign(attributes, answeredBy(meter, vendorOf), usageAttributes(meter.usage));
  if (meter.beganAtMs > 0) attributes[ATTR.timeToFirstChunk] = Math.max(0, meter.beganAtMs - call.startedAtMs) / 1_000;
  if (meter.costNanoUsd !== null) attributes[OWN.costUsd] = meter.costNanoUsd * NANO;
  return attributes;
}

export function attemptAttributes(tried: TriedAttempt, vendorOf: (provider: string) => string): Attributes {
  return {
    [ATTR.providerName]: vendorOf(tried.provider),
    [ATTR.responseModel]: tried.model,
    ...(tried.code === null ? {} : { [ATTR.errorType]: tried.code }),
    ...(tried.status === null ? {} : { "http.response.status_code": tried.status }),
  };
}

export function errorType({ kind, code, status }: Outcome): string | null {
  if (kind === "done" && status < 400) return null;
  return code ?? (kind === "aborted" ? "cancelled" : String(status));
}

function answeredBy(meter: Meter, vendorOf: (provider: string) => string): Attributes {
  return {
    ...(meter.provider === null ? {} : { [ATTR.providerName]: vendorOf(meter.provider) }),
    ...(meter.model === null ? {} : { [ATTR.responseModel]: meter.model }),
  };
}

/** There the tokens of the input count those read from and written to a cache, and those of the output the reasoning; ours are disjoint. */
export function usageAttributes(usage: Usage): Attributes {
  const attributes: Attributes = {};
  const input = total(usage.inputTokens, usage.cacheReadTokens, usage.cacheWriteTokens);
  const output = total(usage.outputTokens, usage.reasoningTokens);
  if (input !== undefined) attributes[ATTR.inputTokens] = input;
  if (output !== undefined) attributes[ATTR.outputTokens] = output;
  if (usage.cacheReadTokens !== undefined) attributes[ATTR.cacheReadTokens] = usage.cacheReadTokens;
  if (usage.cacheWriteTokens !== undefined) attributes[ATTR.cacheCreationTokens] = usage.cacheWriteTokens;
  if (usage.reasoningTokens !== undefined) attributes[ATTR.reasoningTokens] = usage.reasoningTokens;
  return attributes;
}

function total(first: number | undefined, ...others: readonly (number | undefined)[]): number | undefined {
  return first === undefined ? undefined : others.reduce<number>((sum, value) => sum + (value ?? 0), first);
}
