import type { ModelCall } from "../../../calls/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks, Warning } from "../../shared/codec.js";
import { invalid, unsupported } from "../../shared/fields.js";
import { jsonText } from "../../shared/raw-json.js";
import { fitBreakpoints } from "../cache-control.js";
import { messagesExtras } from "../extras.js";
import { encodeMessages } from "./encode-messages.js";
import { encodeThinking } from "./encode-thinking.js";
import { encodeTools } from "./encode-tools.js";
import type { Encoding } from "./encoding.js";
import { requestHeaders } from "../../shared/requests/request-headers.js";
import { messagesPath } from "./splice-request.js";
import { strictSchema } from "./strict-schema.js";

/**
 * `Codec.encodeRequest` of Messages. Equal calls have equal bytes, so that a vendor's prompt cache recognises them: nothing here is random, and lists keep their order.
 * The vendor wants `max_tokens`; without a limit of the caller it is `defaultMaxTokens`.
 * Errors: `unsupported_feature` for what the protocol cannot carry and must not be left out; `validation_failed` for a conversation that says nothing.
 */
export function encodeRequest(
  call: ModelCall,
  o: { readonly model: string; readonly stream: boolean; readonly quirks: Quirks },
): EncodedRequest {
  const { body, warnings } = encodeBody(call, o.model);
  const bytes = utf8(jsonText(o.stream ? { ...body, stream: true } : body));
  return { path: messagesPath, headers: requestHeaders(o.stream), bytes, ...(warnings.length === 0 ? {} : { warnings }) };
}

/** The body of a request, without `stream`. */
export function encodeBody(call: ModelCall, model: string): { readonly body: Record<string, unknown>; readonly warnings: Warning[] } {
  const warnings: Warning[] = [];
  const encoding: Encoding = { warn: (warning) => void warnings.push(warning), blocks: [] };
  refuse(call);
  const { thinking: _thinking, metadata: _metadata, tool_choice: _choice, output_config: config, ...extras } = messagesExtras(call);
  const { tools, tool_choice } = encodeTools(call, encoding);
  const { system, messages } = encodeMessages(call.messages, encoding);
  if (messages.length === 0) throw invalid("messages", "holds nothing that could be answered");
  if (call.output?.type === "json") system.push(jsonInstruction(encoding));
  const { thinking, effort, maxTokens } = encodeThinking(call, encoding);
  const format = encodeFormat(call, encoding);
  fitBreakpoints(encoding.blocks, { reserved: isObject(extras["cache_control"]) ? 1 : 0, warn: encoding.warn });
  const outputConfig = { ...(isObject(config) ? config : {}), effort, format };
  const body = {
    ...extras,
    model,
    max_tokens: maxTokens,
    system: system.length === 0 ? undefined : shortestSystem(system),
    messages,
    tools,
    tool_choice,
    thinking,
    output_config: Object.values(outputConfig).every((value) => value === undefined) ? undefined : outputConfig,
    ...encodeSampling(call, { thinks: isObject(thinking) && thinking["type"] !== "disabled", encoding }),
    stop_sequences: encodeStop(call, encoding),
    service_tier: encodeTier(call, encoding),
    metadata: encodeMetadata(call, encoding),
  };
  warnOfTheRest(call, encoding);
  return { body, warnings };
}

function refuse(call: ModelCall): void {
  if ((call.n ?? 1) > 1) throw unsupported("n", "asks for several answers, and Messages gives one");
  if (call.logprobs !== undefined) throw unsupported("logprobs", "has no counterpart in Messages");
  const other = call.outputModalities?.find((modality) => modality !== "text");
  if (other !== undefined) throw unsupported("outputModalities", `asks for ${other.slice(0, 40)}, and Messages answers in text`);
}

/** Hints that change no answer that is right without them. */
function warnOfTheRest(call: ModelCall, { warn }: Encoding): void {
  const fields = ["seed", "presencePenalty", "frequencyPenalty", "promptCacheKey", "promptCacheRetention", "verbosity", "store"] as const;
  for (const field of fields)
    if (call[field] !== undefined && call[field] !== false) warn({ field, what: "was left out: Messages has no counterpart" });
}

function shortestSystem(system: readonly Record<string, unknown>[]): unknown {
  const [only] = system;
  return system.length === 1 && only !== undefined && Object.keys(only).length === 2 ? only["text"] : system;
}

/** The protocol knows schemas only. */
function jsonInstruction(encoding: Encoding): Record<string, unknown> {
  encoding.warn({ field: "output", what: "asks for JSON without a schema: it was told to the model in words" });
  return { type: "text", text: "Answer with one JSON object and nothing else." };
}

function encodeFormat({ output }: ModelCall, { warn }: Encoding): unknown {
  if (output?.type !== "json-schema") return undefined;
  return { type: "json_schema", schema: strictSchema(output.schema, (what) => warn({ field: "output.schema", what })) };
}

/** The vendor's temperature ends at 1; while its models think they take none but 1, nor a narrow choice of tokens. */
function encodeSampling(call: ModelCall, o: { readonly thinks: boolean; readonly encoding: Encoding }): Record<string, unknown> {
  const leave = (field: string) => o.encoding.warn({ field, what: "was left out: the vendor does not take it while the model thinks" });
  let { temperature, topP, topK } = call;
  if (temperature !== undefined && temperature > 1) {
    o.encoding.warn({ field: "temperature", what: `${temperature} was sent as 1` });
    temperature = 1;
  }
  if (o.thinks && temperature !== undefined && temperature !== 1) {
    leave("temperature");
    temperature = undefined;
  }
  if (o.thinks && topP !== undefined && topP < 0.95) {
    leave("topP");
    topP = undefined;
  }
  if (o.thinks && topK !== undefined) {
    leave("topK");
    topK = undefined;
  }
  return { temperature, top_p: topP, top_k: topK };
}

/** The vendor refuses a sequence of blanks. */
function encodeStop({ stop }: ModelCall, { warn }: Encoding): readonly string[] | undefined {
  const said = stop?.filter((word) => word.trim() !== "");
  if (said !== undefined && said.length < (stop?.length ?? 0))
    warn({ field: "stop", what: "has sequences of blanks alone, which the vendor refuses: they were left out" });
  return said?.length === 0 && (stop?.length ?? 0) > 0 ? undefined : said;
}

/** Priority is what `auto` uses where the account has it. */
const tiers: Readonly<Record<string, string>> = {
  auto: "auto",
  priority: "auto",
  default: "standard_only",
  standard: "standard_only",
  standard_only: "standard_only",
};

function encodeTier({ serviceTier: tier }: ModelCall, { warn }: Encoding): string | undefined {
  if (tier === undefined) return undefined;
  const known = Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
  if (known === undefined) warn({ field: "serviceTier", what: `"${tier.slice(0, 40)}" was left out: Messages has no such tier` });
  return known;
}

/** Only an id of the user is taken; other metadata are the caller's own business with another vendor. */
function encodeMetadata(call: ModelCall, { warn }: Encoding): Record<string, unknown> | undefined {
  const own = messagesExtras(call)["metadata"];
  if (call.metadata !== undefined && Object.keys(call.metadata).length > 0)
    warn({ field: "metadata", what: "was left out: Messages takes the user alone" });
  const metadata = { ...(isObject(own) ? own : {}), ...(call.user === undefined ? {} : { user_id: call.user }) };
  return Object.keys(metadata).length === 0 ? undefined : metadata;
}
