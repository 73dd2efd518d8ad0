import { crypto } from "#platform";
import {
  fold,
  unfold,
  type AnswerPart,
  type Message,
  type ModelAnswer,
  type ModelCall,
  type ProtocolId,
} from "../../../src/calls/index.js";
import { memoryStore } from "../../../src/memory/index.js";
import type { RecordStore } from "../../../src/ports/index.js";
import { Provider, type ProviderKey } from "../../../src/providers/index.js";
import { OpaqueTokens, type Carrier, type Way } from "../../../src/routing/opaque/index.js";
import type { Target } from "../../../src/routing/resolve.js";
import { FakeClock } from "../../../src/testing/fake-clock.js";
import type { CodecTraits, TokenBond } from "../../../src/wire/shared/codec.js";

const NOTHING = { reasoning: false, toolCalls: false, text: false };
const bonds: Readonly<Record<ProtocolId, readonly TokenBond[]>> = {
  "openai-chat": [],
  "openai-responses": ["key"],
  "anthropic-messages": ["model", "key", "prefix", "text"],
  "google-genai": ["family", "key"],
};
const carries: Readonly<Record<ProtocolId, CodecTraits["carries"]>> = {
  "openai-chat": NOTHING,
  "openai-responses": { ...NOTHING, reasoning: true },
  "anthropic-messages": { ...NOTHING, reasoning: true },
  "google-genai": { reasoning: true, toolCalls: true, text: true },
};
/** A protocol as far as tokens go. */
export const speaks = (protocol: ProtocolId) => ({
  protocol,
  traits: {
    toolName: /^/,
    toolCallId: /^/,
    textTools: true,
    carries: carries[protocol],
    tokensBoundTo: bonds[protocol],
  } satisfies CodecTraits,
});

export function tokens(o: { readonly store?: RecordStore; readonly clock?: FakeClock; readonly key?: Uint8Array } = {}) {
  const clock = o.clock ?? new FakeClock(1_800_000_000_000);
  const store = o.store ?? memoryStore({ clock });
  const errors: unknown[] = [];
  const key = o.key ?? crypto.random(32);
  const opaque = new OpaqueTokens({ crypto, clock, store, key: () => key, onError: (error) => errors.push(error) });
  return { opaque, store, clock, errors };
}
export type Tokens = ReturnType<typeof tokens>;

export const caller = (protocol: ProtocolId | null, projectId = "default"): Carrier => ({
  projectId,
  dialect: protocol === null ? null : speaks(protocol),
});
export function provider(name: string, ...keys: readonly string[]): Provider {
  return new Provider({ name, vendor: "openai-compatible", baseUrl: "http://127.0.0.1:1", apiKeys: keys.map((value) => ({ value })) });
}
export function way(protocol: ProtocolId | null, o: { readonly to?: Provider; readonly model?: string; readonly key?: number } = {}): Way {
  const to = o.to ?? provider("lab", "sk-one");
  const code = o.model ?? "m-1";
  const target: Target = { provider: to, code, id: `${to.name}/${code}`, model: null };
  const key: ProviderKey | null = to.keys.all[o.key ?? 0] ?? null;
  return { target, key, codec: protocol === null ? null : speaks(protocol) };
}

export const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
export const callOf = (...messages: readonly Message[]): ModelCall => ({ model: "lab/m-1", messages });
export const answerOf = (...content: readonly AnswerPart[]): ModelAnswer => ({
  ...{ id: "a", model: "m-1", createdAtMs: 0, usage: {} },
  candidates: [{ index: 0, content, finishReason: "tool-calls" }],
});
export const thought = (text: string, opaque?: string, rest: object = {}): AnswerPart => ({
  ...{ type: "reasoning", text, ...rest },
  ...(opaque === undefined ? {} : { opaque }),
});
export const said = (text: string, opaque?: string): AnswerPart => ({ type: "text", text, ...(opaque === undefined ? {} : { opaque }) });
export const toolCall = (id: string, opaque?: string, args = '{"a":1}'): AnswerPart => ({
  ...{ type: "tool-call", id, name: "look", arguments: args },
  ...(opaque === undefined ? {} : { opaque }),
});
export const result = (callId: string): Message => ({
  role: "tool",
  content: [{ type: "tool-result", callId, content: [{ type: "text", text: "ok" }] }],
});

/** What the caller gets, whole; a stream gives the same. */
export async function given(
  { opaque }: Tokens,
  answer: ModelAnswer,
  o: { readonly call: ModelCall; readonly carrier: Carrier; readonly way: Way; readonly streamed?: boolean },
): Promise<readonly AnswerPart[]> {
  const sealed = o.streamed === true ? await fold(opaque.sealEvents(events(answer), o)) : await opaque.sealAnswer(answer, o);
  return sealed.candidates[0]!.content;
}
async function* events(answer: ModelAnswer) {
  yield* unfold(answer);
}

/** What a client of this dialect sends back of an answer: without what its dialect has no place for. */
export function sentBack(content: readonly AnswerPart[], protocol: ProtocolId): Message {
  const kept = carries[protocol];
  const parts = content.flatMap((part): AnswerPart[] => {
    if (part.type === "reasoning") return kept.reasoning ? [part] : [];
    const { opaque, ...rest } = part as AnswerPart & { opaque?: string };
    const carried = part.type === "tool-call" ? kept.toolCalls : kept.text;
    return [(carried && opaque !== undefined ? { ...rest, opaque } : rest) as AnswerPart];
  });
  return { role: "assistant", content: parts };
}

/** The call as it reaches the vendor, and what the caller is told. */
export async function reaches({ opaque }: Tokens, call: ModelCall, o: { readonly carrier: Carrier; readonly way: Way }) {
  const { call: opened, warnings } = opaque.open(await opaque.hold(call, o.carrier, true), o.way);
  const turns = opened.messages.filter((message) => message.role === "assistant");
  return {
    turns: turns.map(({ content }) => content),
    messages: opened.messages,
    warnings: warnings.map(({ field, what }) => `${field}: ${what}`),
  };
}
