import type { Answer, Headers } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { nothingDelivered, wholeDelivered } from "../../policy/money/delivered.js";
import type { HttpResponse } from "../../ports/index.js";
import type { Reach } from "../../providers/index.js";
import type { Codec, Quirks, ScannedHead } from "../../wire/shared/codec.js";
import { answerHeaders } from "./answer-headers.js";
import { noteUsage, readWhole, unfolded } from "./ask-target.js";
import { namesOwnFile } from "./prepare/own-files.js";
import { isLong } from "./prepare/prepare-call.js";
import { mayNameHandle } from "./prepare/vendor-handles.js";
import { ByteWord } from "../../util/encoding/byte-word.js";
import { ENVELOPE_MARK } from "../opaque/index.js";
import { BegunFrames } from "./begun-frames.js";
import { firstToken } from "./first-token.js";
import { tellable } from "./tellable.js";
import type { Attempt } from "./attempt.js";
import { isStream, send, wholeBody } from "./upstream.js";
import type { Wires } from "./wires.js";

/** A call in the bytes of a dialect, with what one pass over them found. */
export interface WireRequest {
  readonly bytes: Uint8Array;
  readonly head: ScannedHead;
  readonly codec: Codec;
  /** Of the caller's headers those that belong to the call. */
  readonly headers?: Headers | undefined;
  /** Its caller may name what lies at a vendor by the vendor's own ids. */
  readonly rawIds: boolean;
}

type HttpReach = Extract<Reach, { kind: "http" }>;

/**
 * Whether the caller's bytes can go to this target as they are: it speaks their dialect, they have nothing that its quirks would have changed, no token in an envelope of
 * ours and no file that is kept here, nor perhaps one of the vendor's that its caller may not name, and the answer is not better streamed.
 * The search may find a word in a text instead of a field: then the call is translated, which only costs more.
 */
export function canRelay(request: WireRequest, reach: Reach): reach is HttpReach {
  if (reach.kind !== "http" || !reach.protocols.includes(request.codec.protocol)) return false;
  if (!request.head.stream && isLong(request.head, request.codec)) return false;
  if (namesOwnFile(request.bytes)) return false;
  if (!request.rawIds && !reach.rawIds && mayNameHandle(request.bytes, request.codec)) return false;
  return !ENVELOPE.isIn(request.bytes) && !words(reach.quirks).some((word) => word.isIn(request.bytes));
}

/**
 * The relay lane: the caller's bytes with the model's name replaced go out, the vendor's bytes come back once the first have arrived. Usage is read as they pass. A vendor that streams
 * though it was asked not to, or the other way round, is translated into what was asked for.
 */
export async function relayLane(
  attempt: Attempt,
  request: WireRequest,
  o: { readonly reach: HttpReach; readonly wires: Wires },
): Promise<Answer<never>> {
  const { target, call } = attempt;
  const { codec, head } = request;
  const { baseUrl, quirks } = o.reach;
  const spliced = codec.spliceRequest(request.bytes, head, { model: target.code, quirks });
  const encoded = request.headers === undefined ? spliced : { ...spliced, headers: [...spliced.headers, ...request.headers] };
  const response = await send(attempt, encoded, { http: o.wires.http, codec, baseUrl, nowMs: o.wires.clock.now() });
  const headers = (stream: boolean) => answerHeaders({ stream, meter: call.meter, vendor: response.headers });
  if (head.stream && isStream(response, true)) {
    const frames = await beginFrames(attempt, request, response);
    call.meter.beganAtMs = o.wires.clock.now();
    return { status: response.status, headers: headers(true), body: { kind: "frames", frames } };
  }
  if (!head.stream && !isStream(response, false)) {
    const bytes = await wholeBody(target, response);
    noteUsage(call, target, codec.readUsage(bytes));
    if (call.meter.usage.outputTokens === undefined) call.meter.delivered = wholeDelivered(bytes);
    return { status: response.status, headers: headers(false), body: { kind: "bytes", bytes } };
  }
  const answer = await readWhole(attempt, response, codec);
  noteUsage(call, target, answer.usage);
  if (!head.stream) return { status: response.status, headers: headers(false), body: { kind: "bytes", bytes: codec.encodeAnswer(answer) } };
  const frames = codec.encodeStream(unfolded(answer), { includeUsage: head.wantsUsage, onError: (error) => call.failed(error.code) });
  return { status: response.status, headers: headers(true), body: { kind: "frames", frames } };
}

/** The vendor's frames, the first chunk of which has arrived: what fails before it is thrown here, while another provider can still be tried. */
async function beginFrames(attempt: Attempt, { codec, head }: WireRequest, response: HttpResponse): Promise<AsyncIterable<Uint8Array>> {
  const { target, call } = attempt;
  let begun = false;
  let early: GatewayError | null = null;
  const delivered = (call.meter.delivered = nothingDelivered());
  const relayed = codec.relayStream(response.chunks(), {
    dropUsage: !head.wantsUsage,
    watch: {
      delivered,
      usage: (usage) => noteUsage(call, target, usage),
      tellable: (error) => tellable(attempt, error),
      failed: (error) => {
        if (begun) call.failed(error.code);
        else early = error;
      },
    },
  });
  const frames = relayed[Symbol.asyncIterator]();
  const first = await (attempt.timeouts?.firstByteMs === undefined ? frames.next() : firstToken(frames));
  begun = true;
  if (early !== null) throw early as GatewayError;
  return new BegunFrames(first, frames);
}

const ENVELOPE = new ByteWord(ENVELOPE_MARK);

const droppedWords = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
  seed: "seed",
  logprobs: "logprobs",
  stop: "stop",
} as const satisfies Record<NonNullable<Quirks["dropped"]>[number], string>;

/** What must not stand in a request that goes as it is to a vendor with these quirks. */
function words(quirks: Quirks): readonly ByteWord[] {
  const known = wordsOf.get(quirks);
  if (known !== undefined) return known;
  const found: string[] = (quirks.dropped ?? []).map((field) => droppedWords[field]);
  if (quirks.developerRole === false) found.push("developer");
  if (quirks.maxTokensField !== undefined) found.push(quirks.maxTokensField === "max_tokens" ? "max_completion_tokens" : "max_tokens");
  if (quirks.efforts !== undefined) found.push("reasoning_effort");
  if (quirks.jsonObjectOnly === true) found.push("json_schema");
  if (quirks.mediaByUrl === false) found.push("image_url");
  if (quirks.reasoningOnToolTurns === true) found.push("tool_calls");
  const made = found.map((word) => new ByteWord(`"${word}"`));
  wordsOf.set(quirks, made);
  return made;
}
const wordsOf = new WeakMap<Quirks, readonly ByteWord[]>();
