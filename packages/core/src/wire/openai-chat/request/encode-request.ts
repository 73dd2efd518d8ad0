import type { ModelCall, OutputFormat } from "../../../calls/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks, Warning } from "../../shared/codec.js";
import type { Marking } from "../cache-marks.js";
import { chatExtras } from "../extras.js";
import { encodeMessages } from "./encode-messages.js";
import { encodeReasoningRequest } from "./reasoning-request.js";
import { requestHeaders } from "../../shared/requests/request-headers.js";
import { chatPath } from "./splice-request.js";
import { encodeParallel, encodeToolChoice, encodeTools } from "./tools.js";

/**
 * `Codec.encodeRequest` of Chat Completions. Equal calls have equal bytes, so that a vendor's prompt cache recognises them: nothing here is random, and lists keep
 * their order. Errors: `unsupported_feature` for content that the protocol cannot carry.
 */
export function encodeRequest(
  call: ModelCall,
  o: { readonly model: string; readonly stream: boolean; readonly quirks: Quirks },
): EncodedRequest {
  const own = chatExtras(call);
  const { tool_choice, response_format, stream_options, reasoning, thinking, reasoning_effort, top_k, ...extras } = own;
  const warnings: Warning[] = [];
  const marking: Marking = { quirks: o.quirks, warn: (field, what) => void warnings.push({ field, what }) };
  const limit = o.quirks.maxTokensField ?? "max_completion_tokens";
  const body = {
    ...extras,
    model: o.model,
    messages: encodeMessages(call.messages, marking),
    ...encodeTools(call.tools, marking),
    ...encodeToolChoice(call, tool_choice),
    parallel_tool_calls: encodeParallel(call),
    response_format: call.output === undefined ? response_format : encodeFormat(call.output),
    ...(call.maxOutputTokens === undefined ? {} : { [limit]: call.maxOutputTokens }),
    ...encodeSampling(call, top_k, marking),
    ...encodeReasoningRequest(call.reasoning, { reasoning, thinking, reasoning_effort }, o.quirks),
    modalities: call.outputModalities,
    service_tier: call.serviceTier,
    prompt_cache_key: call.promptCacheKey,
    prompt_cache_retention: call.promptCacheRetention,
    verbosity: call.verbosity,
    store: call.store,
    safety_identifier: call.safetyIdentifier,
    user: call.user === call.safetyIdentifier ? undefined : call.user,
    metadata: call.metadata,
    ...(o.stream ? { stream: true, ...encodeStreamOptions(stream_options, o.quirks) } : {}),
  };
  const bytes = utf8(JSON.stringify(body));
  return { path: chatPath, headers: requestHeaders(o.stream), bytes, ...(warnings.length === 0 ? {} : { warnings }) };
}

function encodeStreamOptions(own: unknown, quirks: Quirks): { stream_options?: unknown } {
  const options = { ...(isObject(own) ? own : {}), ...(quirks.usageInStream === false ? {} : { include_usage: true }) };
  return Object.keys(options).length === 0 ? {} : { stream_options: options };
}

/** Fields that are said only where somebody asked for them. */
function encodeSampling(call: ModelCall, ownTopK: unknown, { quirks, warn }: Marking): Record<string, unknown> {
  const top = call.logprobs === undefined || call.logprobs === 0 ? {} : { top_logprobs: call.logprobs };
  // It came in this protocol, or the vendor is known to take it.
  const takesTopK = ownTopK !== undefined || quirks.topK === true;
  if (call.topK !== undefined && !takesTopK) warn("topK", "was left out: Chat Completions has no such field");
  return {
    temperature: call.temperature,
    top_p: call.topP,
    ...(takesTopK ? { top_k: call.topK } : {}),
    stop: call.stop,
    seed: call.seed,
    presence_penalty: call.presencePenalty,
    frequency_penalty: call.frequencyPenalty,
    n: call.n,
    ...(call.logprobs === undefined ? {} : { logprobs: true, ...top }),
  };
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
