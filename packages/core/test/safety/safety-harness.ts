import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { onTestFinished } from "vitest";
import type { ModelCall, ModelEvent } from "../../src/calls/index.js";
import { detection, type DetectionRow } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { serve } from "../../src/node/index.js";
import { createTestGateway, TEST_OWNER_KEY, type TestGatewayOptions } from "../../src/testing/index.js";

/** Made of parts, so that no scanner of this repository takes it for a key. */
export const SECRET = ["ghp_", "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789"].join("");

/** The answer of a model: a text in pieces of so many characters, or calls of tools; or what it was given, said back. */
export interface Says {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly { readonly name: string; readonly args: string }[];
  readonly piece?: number;
}

/** A model that says what a test wants, and notes what it was given. */
export function saying(says: Says) {
  const given: ModelCall[] = [];
  async function* answer(call: ModelCall): AsyncGenerator<ModelEvent> {
    given.push(call);
    yield { type: "start", id: "m1", model: "m", createdAtMs: 0 };
    let block = 0;
    const piece = says.piece ?? 3;
    if (says.reasoning !== undefined) {
      yield { type: "reasoning-start", index: 0, block };
      for (let at = 0; at < says.reasoning.length; at += piece)
        yield { type: "reasoning-delta", index: 0, block, text: says.reasoning.slice(at, at + piece) };
      yield { type: "reasoning-end", index: 0, block: block++ };
    }
    if (says.text !== undefined) {
      yield { type: "text-start", index: 0, block };
      for (let at = 0; at < says.text.length; at += piece)
        yield { type: "text-delta", index: 0, block, text: says.text.slice(at, at + piece) };
      yield { type: "text-end", index: 0, block: block++ };
    }
    for (const { name, args } of says.calls ?? []) {
      yield { type: "tool-call-start", index: 0, block, id: `call_${block}`, name };
      for (let at = 0; at < args.length; at += piece) yield { type: "tool-call-delta", index: 0, block, text: args.slice(at, at + piece) };
      yield { type: "tool-call-end", index: 0, block: block++ };
    }
    yield { type: "usage", usage: { inputTokens: 1, outputTokens: 1 } };
    yield { type: "finish", index: 0, reason: says.calls === undefined ? "stop" : "tool-calls" };
  }
  return Object.assign(answer, { given });
}

/** A gateway over HTTP with every vendor's SDK, and what its guardrails wrote down. */
export async function served(options: TestGatewayOptions) {
  const store = memoryStore();
  const gateway = await createTestGateway({ storage: { open: () => Promise.resolve(store) } as never, ...options });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const base = serving.url;
  const detections = async (least = 1): Promise<DetectionRow[]> => {
    // What was found is written with the ledger, a moment later.
    for (let tries = 0; tries < 100; tries++) {
      const { rows } = await store.find(
        detection,
        { orderBy: "atMs", limit: 500 },
        { system: "a test" },
        { deadlineMs: Date.now() + 5_000 },
      );
      if (rows.length >= least) return rows;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return [];
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(base + path, {
      method: "POST",
      headers: { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return {
    ...{ gateway, base, detections, post, store },
    openai: new OpenAI({ baseURL: `${base}/v1`, apiKey: TEST_OWNER_KEY, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: base, apiKey: TEST_OWNER_KEY, maxRetries: 0 }),
    google: new GoogleGenAI({ apiKey: TEST_OWNER_KEY, httpOptions: { baseUrl: base } }),
  };
}
export type Served = Awaited<ReturnType<typeof served>>;

const MODEL = "test/script";
/** A question and its answer's text on each face by the vendor's own SDK, whole and streamed. */
export const faces: Readonly<
  Record<string, (to: Served, question: string) => { whole(): Promise<string>; streamed(onText: (text: string) => void): Promise<void> }>
> = {
  "OpenAI chat": ({ openai }, content) => ({
    whole: async () =>
      (await openai.chat.completions.create({ model: MODEL, messages: [{ role: "user", content }] })).choices[0]?.message.content ?? "",
    streamed: async (onText) => {
      const stream = await openai.chat.completions.create({ model: MODEL, messages: [{ role: "user", content }], stream: true });
      for await (const chunk of stream) onText(chunk.choices[0]?.delta.content ?? "");
    },
  }),
  "OpenAI responses": ({ openai }, input) => ({
    whole: async () => (await openai.responses.create({ model: MODEL, input, store: false })).output_text,
    streamed: async (onText) => {
      const stream = await openai.responses.create({ model: MODEL, input, store: false, stream: true });
      for await (const event of stream) {
        if (event.type === "response.output_text.delta") onText(event.delta);
        if (event.type === "error" || event.type === "response.failed") throw new Error(JSON.stringify(event));
      }
    },
  }),
  "Anthropic messages": ({ anthropic }, content) => ({
    whole: async () => {
      const answer = await anthropic.messages.create({ model: MODEL, max_tokens: 100, messages: [{ role: "user", content }] });
      return answer.content.map((part) => (part.type === "text" ? part.text : "")).join("");
    },
    streamed: async (onText) => {
      const stream = await anthropic.messages.create({
        model: MODEL,
        max_tokens: 100,
        messages: [{ role: "user", content }],
        stream: true,
      });
      for await (const event of stream)
        if (event.type === "content_block_delta" && event.delta.type === "text_delta") onText(event.delta.text);
    },
  }),
  "Google generateContent": ({ google }, contents) => ({
    whole: async () => (await google.models.generateContent({ model: MODEL, contents })).text ?? "",
    streamed: async (onText) => {
      for await (const chunk of await google.models.generateContentStream({ model: MODEL, contents })) onText(chunk.text ?? "");
    },
  }),
};
