/**
 * Names of OpenTelemetry's semantic conventions for generative AI and MCP. They are incubating and move from version to version, so they are written down here and nowhere else.
 * Source: @opentelemetry/semantic-conventions 1.45.0, `incubating`; a test holds these against it.
 */
export const ATTR = {
  operationName: "gen_ai.operation.name",
  providerName: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  requestMaxTokens: "gen_ai.request.max_tokens",
  requestStream: "gen_ai.request.stream",
  responseModel: "gen_ai.response.model",
  timeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheCreationTokens: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  finishReasons: "gen_ai.response.finish_reasons",
  inputMessages: "gen_ai.input.messages",
  outputMessages: "gen_ai.output.messages",
  tokenType: "gen_ai.token.type",
  toolName: "gen_ai.tool.name",
  toolCallArguments: "gen_ai.tool.call.arguments",
  toolCallResult: "gen_ai.tool.call.result",
  conversationId: "gen_ai.conversation.id",
  mcpMethodName: "mcp.method.name",
  errorType: "error.type",
} as const;

export const METRIC = {
  tokenUsage: "gen_ai.client.token.usage",
  operationDuration: "gen_ai.client.operation.duration",
  timeToFirstChunk: "gen_ai.client.operation.time_to_first_chunk",
  mcpOperationDuration: "mcp.client.operation.duration",
} as const;

/** Ours, where the conventions have no name. */
export const OWN = {
  requestId: "sallyport.request.id",
  callId: "sallyport.call.id",
  runId: "sallyport.run.id",
  callerId: "sallyport.caller.id",
  projectId: "sallyport.project.id",
  attempts: "sallyport.attempts",
  costUsd: "sallyport.cost.usd",
  server: "sallyport.mcp.server",
  status: "sallyport.status",
  purpose: "sallyport.purpose",
} as const;

/** What our operations are called there; what has no name there keeps ours. */
export const OPERATION: Readonly<Record<string, string>> = { generate: "chat", embed: "embeddings" };
export const TOOLS_CALL = "tools/call";
export const EXECUTE_TOOL = "execute_tool";
export const INVOKE_AGENT = "invoke_agent";

/** Seconds and tokens: the bounds that the conventions advise. */
export const DURATION_BOUNDS: readonly number[] = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
export const TOKEN_BOUNDS: readonly number[] = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
