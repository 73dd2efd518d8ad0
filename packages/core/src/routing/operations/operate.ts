import type {
  Answer,
  EmbedAnswer,
  EmbedCall,
  Headers,
  ModelCall,
  OperationName,
  Operations,
  TokenCount,
  Usage,
} from "../../calls/index.js";
import { addUsage } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Meter } from "../../policy/meter.js";
import type { OperationContext, Provider, ProviderKey, ProviderOperations } from "../../providers/index.js";
import type { Target } from "../resolve.js";
import { untilAborted } from "../../util/until-aborted.js";
import type { Codec, EmbedCodec, EncodedRequest, TokenCounter, Warning } from "../../wire/shared/codec.js";
import { answerHeaders } from "../lanes/answer-headers.js";
import type { Attempt } from "../lanes/attempt.js";
import { noteUsage } from "../lanes/ask-target.js";
import { CallLifetime } from "../lanes/call-lifetime.js";
import { mayNameHandles, refuseHandles } from "../lanes/prepare/vendor-handles.js";
import { withOwnFiles } from "../lanes/prepare/own-files.js";
import { send, wholeBody } from "../lanes/upstream.js";
import type { Wires } from "../lanes/wires.js";
import { estimateTokens } from "./estimate-tokens.js";
import { operationContext } from "./operation-context.js";

export interface OperationRequest<K extends OperationName> {
  readonly name: K;
  readonly call: Operations[K]["call"];
}
/** What an attempt came to, before it is known whose it was. */
interface Answered<K extends OperationName> {
  readonly answer: Operations[K]["answer"];
  readonly warnings: readonly Warning[];
}
export interface OperationResult<K extends OperationName> extends Answered<K> {
  /** What answered, and the key that it was asked with. */
  readonly target: Target;
  readonly key: ProviderKey | null;
}

/** The result of a call that was let through its steps. */
export interface OperatedAt<K extends OperationName> extends OperationResult<K> {
  readonly headers: Headers;
}

/**
 * One attempt at an operation beside chat: by the provider's own way of it, and for vectors and counts of tokens by the codec of a protocol that it speaks. What it used is in the call's meter
 * afterwards. Errors: those of the target; `unsupported_feature` naming model and operation when there is no such way.
 */
export async function operateOnce<K extends OperationName>(
  attempt: Attempt,
  request: OperationRequest<K>,
  wires: Wires,
): Promise<OperationResult<K>> {
  const { target, call: live } = attempt;
  const result = request.name === "video" ? await onceOnly(answered(attempt, request, wires)) : await answered(attempt, request, wires);
  const usage = usageOf(result.answer);
  if (usage !== undefined) noteUsage(live, target, usage);
  return { ...result, target, key: attempt.key };
}

/** A film that may have been begun is not begun again: it would be paid for twice. */
async function onceOnly<A>(work: Promise<A>): Promise<A> {
  try {
    return await work;
  } catch (error) {
    if (!GatewayError.is(error, "upstream_timeout") && !GatewayError.is(error, "upstream_interrupted")) throw error;
    throw new GatewayError(
      "outcome_unknown",
      "The vendor was asked for a film and did not answer; whether it is making one, nobody knows.",
      {
        hint: "Look at the vendor's own list before you ask again.",
        cause: error,
      },
    );
  }
}

/** What the steps see of an operation's answer: what answered it, and what of the call was left out. */
export function operatedAnswer(meter: Meter, warnings: readonly Warning[]): Answer<never> {
  const headers = answerHeaders({ stream: false, meter, vendor: null, warnings }).filter(([name]) => name !== "content-type");
  return { status: 200, headers, body: { kind: "bytes", bytes: new Uint8Array(0) } };
}

async function answered<K extends OperationName>(attempt: Attempt, request: OperationRequest<K>, wires: Wires): Promise<Answered<K>> {
  const { provider } = attempt.target;
  const own = (provider.operations as ProviderOperations)[request.name] as
    | ((call: Operations[K]["call"], context: OperationContext) => Promise<Operations[K]["answer"]>)
    | undefined;
  if (own !== undefined) return { answer: await withContext(attempt, wires, (context) => own(request.call, context)), warnings: [] };
  const hot = await throughCodec(attempt, request, wires);
  if (hot !== null) return hot;
  throw new GatewayError("unsupported_feature", `The model "${attempt.target.id}" cannot be asked for "${request.name}".`, {
    hint: offered(provider),
    details: { model: attempt.target.id, operation: request.name },
  });
}

/** Runs `work` with what an operation of the attempt's provider is given; ends it when the caller goes or the deadline passes, whether it heeds the signal or not. */
export async function withContext<A>(attempt: Attempt, wires: Wires, work: (context: OperationContext) => Promise<A>): Promise<A> {
  const { target, key, call: live } = attempt;
  const lifetime = new CallLifetime({ signal: live.signal, deadlineMs: live.deadlineMs, clock: wires.clock });
  try {
    const context = operationContext(target, key, {
      http: wires.http,
      idleMs: live.snapshot.config.server.timeouts.idleMs,
      signal: lifetime.signal,
      deadlineMs: live.deadlineMs,
    });
    return await untilAborted(work(context), lifetime.signal);
  } finally {
    lifetime.release();
  }
}

async function throughCodec<K extends OperationName>(
  attempt: Attempt,
  request: OperationRequest<K>,
  wires: Wires,
): Promise<Answered<K> | null> {
  if (request.name === "embed") return (await embedByCodec(attempt, request.call as EmbedCall, wires)) as Answered<K> | null;
  if (request.name === "count-tokens") return (await countByCodec(attempt, request.call as ModelCall, wires)) as Answered<K>;
  return null;
}

async function embedByCodec(attempt: Attempt, call: EmbedCall, wires: Wires): Promise<Answered<"embed"> | null> {
  const found = speaking(attempt, wires, (codec) => codec.embed);
  if (found === null) return null;
  const { codec, part: embed, reach } = found;
  const parts: EmbedAnswer[] = [];
  const warnings: Warning[] = [];
  for (let at = 0; at < call.inputs.length; at += embed.maxInputs) {
    const inputs = call.inputs.slice(at, at + embed.maxInputs);
    const request = embed.encodeRequest({ ...call, inputs }, { model: attempt.target.code, quirks: reach.quirks });
    if (at === 0) warnings.push(...(request.warnings ?? []));
    try {
      parts.push(await embedPart(attempt, { codec, embed, request, expected: inputs.length, baseUrl: reach.baseUrl }, wires));
    } catch (error) {
      // The parts before it were made, and have to be paid for.
      if (parts.length > 0) noteUsage(attempt.call, attempt.target, usedBy(parts));
      throw error;
    }
  }
  return {
    warnings,
    answer: {
      model: parts[0]?.model || attempt.target.code,
      vectors: parts.flatMap((part) => part.vectors),
      usage: usedBy(parts),
    },
  };
}

function usedBy(parts: readonly EmbedAnswer[]): Usage {
  return parts.map((part) => part.usage).reduce(addUsage, {});
}

async function embedPart(
  attempt: Attempt,
  o: {
    readonly codec: Codec;
    readonly embed: EmbedCodec;
    readonly request: EncodedRequest;
    readonly expected: number;
    readonly baseUrl: string;
  },
  wires: Wires,
): Promise<EmbedAnswer> {
  const response = await send(attempt, o.request, { http: wires.http, codec: o.codec, baseUrl: o.baseUrl, nowMs: wires.clock.now() });
  const part = o.embed.decodeAnswer(await wholeBody(attempt.target, response));
  // Vectors are told apart by their place alone.
  if (part.vectors.length === o.expected) return part;
  throw new GatewayError("upstream_protocol", `The vendor gave ${part.vectors.length} vectors for ${o.expected} texts.`);
}

async function countByCodec(attempt: Attempt, call: ModelCall, wires: Wires): Promise<Answered<"count-tokens">> {
  const found = speaking(attempt, wires, (codec) => codec.count);
  if (found === null) return { answer: { inputTokens: estimateTokens(call), estimated: true }, warnings: [] };
  const { codec, part: counter, reach } = found;
  const carrier = { projectId: attempt.call.caller.projects[0], dialect: codec };
  const opened = wires.tokens.open(await wires.tokens.hold(call, carrier, true), { ...attempt, codec });
  const whole = await withOwnFiles(opened.call, attempt.call.caller, wires.readFile);
  if (!reach.rawIds && !mayNameHandles(attempt.call.caller)) refuseHandles(whole, codec);
  const request = counter.encodeRequest(whole, { model: attempt.target.code, quirks: reach.quirks });
  const warnings = request.warnings ?? [];
  try {
    const response = await send(attempt, request, { http: wires.http, codec, baseUrl: reach.baseUrl, nowMs: wires.clock.now() });
    const answer: TokenCount = counter.decodeAnswer(await wholeBody(attempt.target, response));
    return { answer, warnings };
  } catch (error) {
    if (!hasNoCounter(error)) throw error;
    return { answer: { inputTokens: estimateTokens(call), estimated: true }, warnings };
  }
}

/** Many servers speak a protocol and leave its counting out: then the path is unknown there, which is told apart from an unknown model by what is said of it. */
function hasNoCounter(error: unknown): boolean {
  if (!GatewayError.is(error) || !(error.code === "upstream_rejected" || error.code === "upstream_unavailable")) return false;
  const { status, code, type } = error.details ?? {};
  if (status === 405 || status === 501) return true;
  return status === 404 && !/model/i.test([error.message, code, type].filter((word) => typeof word === "string").join(" "));
}

/** The first protocol of the provider whose codec has the part; null for a provider in this process too. */
function speaking<P extends EmbedCodec | TokenCounter>(attempt: Attempt, wires: Wires, partOf: (codec: Codec) => P | undefined) {
  const { reach } = attempt.target.provider;
  if (reach.kind !== "http") return null;
  for (const protocol of reach.protocols) {
    const codec = wires.codecOf(protocol);
    const part = codec === null ? undefined : partOf(codec);
    if (codec !== null && part !== undefined) return { codec, part, reach };
  }
  return null;
}

/** A count says what a call would use; it used nothing itself. */
function usageOf(answer: Operations[OperationName]["answer"]): Usage | undefined {
  return "usage" in answer ? answer.usage : undefined;
}

function offered(provider: Provider): string {
  const names = Object.keys(provider.operations).filter((name) => name !== "videos" && name !== "batches");
  return names.length === 0
    ? `The provider "${provider.name}" offers chat alone.`
    : `Beside chat the provider "${provider.name}" offers ${names.join(", ")}.`;
}
