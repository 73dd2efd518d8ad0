import type { ModelCall, ModelEvent } from "../../src/calls/index.js";
import type { RouteInput } from "../../src/entities/index.js";
import { GatewayError, type ErrorCode, type GatewayErrorOptions } from "../../src/errors/index.js";
import type { InProcess, ListedModelOptions } from "../../src/providers/index.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { chat, options, read, routing } from "./harness.js";

/** What a vendor in this process does with a call: answers with a text, fails, or takes its time first. */
export type Does = string | GatewayError | Promise<string | GatewayError>;
export interface Vendor {
  readonly does: (n: number, signal: AbortSignal) => Does;
  readonly models?: readonly ListedModelOptions[];
}
export const failure = (code: ErrorCode, o: GatewayErrorOptions = {}) => new GatewayError(code, "It failed.", o);

/** A sequence of numbers that looks drawn and is the same each time (mulberry32). */
export function seeded(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Real routing with a clock that stands still, over vendors in this process, each with a model `m`; `route/r` is the given route. */
export function routed(
  vendors: Readonly<Record<string, Vendor | Vendor["does"]>>,
  route: RouteInput,
  o: { readonly random?: () => number } = {},
) {
  const clock = new FakeClock();
  /** Names of the vendors, in the order they were asked. */
  const asked: string[] = [];
  const counts: Record<string, number> = {};
  const providers = Object.entries(vendors).map(([name, vendor]) => {
    const { does, models = ["m"] } = typeof vendor === "function" ? { does: vendor } : vendor;
    const answer: InProcess = (_call, { signal }) => {
      asked.push(name);
      return events(does((counts[name] = (counts[name] ?? 0) + 1), signal));
    };
    return [name, { answer, models }] as const;
  });
  const config = { routes: { r: { ...route } } };
  const set = routing({ providers: Object.fromEntries(providers), config, clock, random: o.random ?? seeded() });
  const deadlineMs = clock.now() + 600_000;
  /** One call of the route; the text that came, or the failure. */
  const ask = async (call: Partial<ModelCall> = {}, more: Parameters<typeof options>[0] = {}): Promise<string | GatewayError> => {
    try {
      const answer = await set.models.call({ model: "route/r", messages: [says("hello")], ...call }, options({ deadlineMs, ...more }));
      if (answer.body.kind !== "events") throw new Error("It gave no events.");
      let text = "";
      for await (const event of answer.body.events) if (event.type === "text-delta") text += event.text;
      answer.done("sent");
      return text;
    } catch (error) {
      return GatewayError.from(error);
    }
  };
  /** The same in OpenAI's dialect, not streamed; with the answer's headers. */
  const askWhole = async (body: Record<string, unknown> = {}) => {
    const answer = await set.models.relay(chat({ model: "route/r", ...body }), options({ deadlineMs }));
    return { headers: Object.fromEntries(answer.headers), text: await read(answer) };
  };
  return { ...set, clock, asked, counts, ask, askWhole };
}

export const says = (text: string): ModelCall["messages"][number] => ({ role: "user", content: [{ type: "text", text }] });

async function* events(does: Does): AsyncGenerator<ModelEvent> {
  const said = await does;
  if (typeof said !== "string") throw said;
  yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
  yield { type: "text-start", index: 0, block: 0 };
  yield { type: "text-delta", index: 0, block: 0, text: said };
  yield { type: "text-end", index: 0, block: 0 };
  yield { type: "finish", index: 0, reason: "stop" };
  yield { type: "usage", usage: { inputTokens: 3, outputTokens: 2 } };
}
