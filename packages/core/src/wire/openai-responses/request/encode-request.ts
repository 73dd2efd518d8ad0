import type { ModelCall } from "../../../calls/index.js";
import { utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks } from "../../shared/codec.js";
import { unsupported } from "../../shared/fields.js";
import { ownExtras, type Json } from "../extras.js";
import { logprobsIncluded } from "./decode-request.js";
import { encodeInput } from "./encode-input.js";
import { Encoding } from "./encoding.js";
import { encodeMetadata } from "./metadata.js";
import { requestHeaders } from "../../shared/requests/request-headers.js";
import { responsesPath } from "./splice-request.js";
import { encodeReasoningOptions, encodeTextOptions } from "./text-options.js";
import { encodeToolChoice, encodeTools } from "./tools.js";

/** What `include` asks for the sealed form of reasoning by. */
const sealedIncluded = "reasoning.encrypted_content";

/**
 * `Codec.encodeRequest` of Responses. Equal calls have equal bytes, so that a vendor's prompt cache recognises them. A call that came in another protocol and says
 * nothing of it is not kept at the vendor (`store: false`), and has its reasoning sealed so that we can carry it. Errors: `unsupported_feature` for stop sequences,
 * several candidates, output that is not text, and content that the protocol cannot carry.
 */
export function encodeRequest(
  call: ModelCall,
  o: { readonly model: string; readonly stream: boolean; readonly quirks: Quirks },
): EncodedRequest {
  const encoding = new Encoding(call, o.quirks);
  const body = encodeBody(call, { ...o, encoding });
  return {
    path: responsesPath,
    headers: requestHeaders(o.stream),
    bytes: utf8(JSON.stringify(body)),
    ...(encoding.warnings.length === 0 ? {} : { warnings: encoding.warnings }),
  };
}

/** The request as a value; what cannot be said is a warning of `encoding`. */
export function encodeBody(call: ModelCall, o: { readonly model: string; readonly stream: boolean; readonly encoding: Encoding }): Json {
  const { encoding } = o;
  checkUnsaid(call, encoding);
  const { text, tool_choice, reasoning, include, stream_options, ...extras } = ownExtras(call);
  return {
    ...(encoding.own ? {} : { store: call.store ?? false }),
    ...extras,
    model: o.model,
    ...encodeInput(call.messages, encoding),
    ...encodeTools(call.tools, encoding),
    tool_choice: call.toolChoice === undefined ? tool_choice : encodeToolChoice(call.toolChoice, call.tools),
    parallel_tool_calls: call.parallelToolCalls,
    ...encodeTextOptions(call, text),
    max_output_tokens: call.maxOutputTokens,
    temperature: call.temperature,
    top_p: call.topP,
    ...(encoding.own ? { presence_penalty: call.presencePenalty, frequency_penalty: call.frequencyPenalty } : {}),
    ...encodeReasoningOptions(call.reasoning, reasoning),
    ...encodeIncluded(call, include, encoding),
    service_tier: call.serviceTier,
    prompt_cache_key: call.promptCacheKey,
    prompt_cache_retention: call.promptCacheRetention,
    safety_identifier: call.safetyIdentifier,
    user: call.user === call.safetyIdentifier ? undefined : call.user,
    metadata: encoding.own ? call.metadata : encodeMetadata(call.metadata, encoding),
    ...(o.stream ? { stream: true, stream_options } : {}),
  };
}

function encodeIncluded(call: ModelCall, own: unknown, encoding: Encoding): Json {
  const include: unknown[] = Array.isArray(own) ? [...(own as unknown[])] : [];
  if (call.logprobs !== undefined && !include.includes(logprobsIncluded)) include.push(logprobsIncluded);
  if (!encoding.own && encoding.quirks.sealedReasoning !== false) include.push(sealedIncluded);
  const top = call.logprobs === undefined || call.logprobs === 0 ? {} : { top_logprobs: call.logprobs };
  return { ...top, ...(include.length === 0 && own === undefined ? {} : { include }) };
}

/** What the protocol has no field for: what only colours the answer is left out with a warning, what changes what is answered is refused. */
function checkUnsaid(call: ModelCall, encoding: Encoding): void {
  if ((call.stop?.length ?? 0) > 0) throw unsupported("stop", "has no counterpart in Responses");
  if (call.n !== undefined && call.n > 1) throw unsupported("n", "has no counterpart in Responses, which makes one answer");
  const other = call.outputModalities?.find((modality) => modality !== "text");
  if (other !== undefined) throw unsupported("outputModalities", `names "${other.slice(0, 40)}", and Responses answers in text`);
  const left = ["topK", "seed", ...(encoding.own ? [] : ["presencePenalty", "frequencyPenalty"])] as const;
  for (const field of left as readonly (keyof ModelCall)[])
    if (call[field] !== undefined) encoding.warn(field, "was left out: it has no counterpart in Responses");
}
