import { fold, unfold, type ModelAnswer, type ModelCall, type ModelEvent, type ProtocolId } from "../../src/calls/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { anthropicMessages } from "../../src/wire/anthropic-messages/index.js";
import { googleGenai } from "../../src/wire/google-genai/index.js";
import { openaiChat } from "../../src/wire/openai-chat/index.js";
import { openaiResponses } from "../../src/wire/openai-responses/index.js";
import { adaptCall } from "../../src/wire/shared/adapt-call.js";
import type { Codec, Quirks, Warning } from "../../src/wire/shared/codec.js";

export const codecs: Readonly<Record<ProtocolId, Codec>> = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "anthropic-messages": anthropicMessages,
  "google-genai": googleGenai,
};
export const protocols = Object.keys(codecs) as ProtocolId[];
export const cells = protocols.flatMap((face) => protocols.map((target) => ({ face, target })));

const path = { model: "m", stream: false };
/** A client of Chat Completions may say what its vendors' rows say of them. */
const clientQuirks: Quirks = { cacheMarks: "cache_control", topK: true };

/** A call as a client of the protocol writes it. */
export function asked(protocol: ProtocolId, call: ModelCall): Uint8Array {
  return codecs[protocol].encodeRequest(call, { model: "m", stream: false, quirks: protocol === "openai-chat" ? clientQuirks : {} }).bytes;
}
/** A body as its protocol reads it. */
export function read(protocol: ProtocolId, bytes: Uint8Array): ModelCall {
  return codecs[protocol].decodeRequest(bytes, path);
}

export interface Translated {
  /** The body that the target is sent. */
  readonly body: Record<string, unknown>;
  /** The same as the target reads it. */
  readonly call: ModelCall;
  readonly warnings: readonly Warning[];
  readonly restoreAnswer: (answer: ModelAnswer) => ModelAnswer;
  readonly restore: (events: AsyncIterable<ModelEvent>) => AsyncIterable<ModelEvent>;
}

/** What the translate lane does with a call: it is fitted to its target, and encoded. */
export function sentTo(target: ProtocolId, call: ModelCall, quirks: Quirks = {}): Translated {
  const codec = codecs[target];
  const adapted = adaptCall(call, { protocol: target, traits: codec.traits, quirks });
  const { bytes, warnings = [] } = codec.encodeRequest(adapted.call, { model: "m", stream: false, quirks });
  return {
    body: JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>,
    call: read(target, bytes),
    warnings: [...adapted.warnings, ...warnings],
    restoreAnswer: (answer) => adapted.restoreAnswer(answer),
    restore: (events) => adapted.restore(events),
  };
}

/** The same for a caller's body in the dialect of a face. */
export function translate(o: { readonly face: ProtocolId; readonly target: ProtocolId }, body: object, quirks: Quirks = {}): Translated {
  return sentTo(o.target, read(o.face, new TextEncoder().encode(JSON.stringify(body))), quirks);
}

/** A whole answer as a client of the protocol reads it. */
export function answered(protocol: ProtocolId, answer: ModelAnswer): ModelAnswer {
  return codecs[protocol].decodeAnswer(codecs[protocol].encodeAnswer(answer));
}
export function shown(protocol: ProtocolId, answer: ModelAnswer): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(codecs[protocol].encodeAnswer(answer))) as Record<string, unknown>;
}
/** The same as a stream. Throws what the stream told its caller as an error. */
export async function streamed(protocol: ProtocolId, events: AsyncIterable<ModelEvent>): Promise<ModelAnswer> {
  return fold(codecs[protocol].decodeStream(framesOf(protocol, events)));
}
export function framesOf(protocol: ProtocolId, events: AsyncIterable<ModelEvent>): AsyncIterable<Uint8Array> {
  return codecs[protocol].encodeStream(events, {
    includeUsage: true,
    onError: (error) => {
      throw error;
    },
  });
}
export async function* eventsOf(answer: ModelAnswer): AsyncGenerator<ModelEvent> {
  yield* unfold(answer);
}

/** Without what is undefined, and without what belongs to one protocol alone: its extras, and the ids that it gives to items. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([key, member]) => key !== "extras" && key !== "itemId" && member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}

/** The field that a refusal names; throws what is no refusal. */
export function refusedField(act: () => unknown): string | null {
  try {
    act();
    return null;
  } catch (error) {
    if (GatewayError.is(error, "unsupported_feature")) return String(error.details?.["param"]);
    throw error;
  }
}
