import Anthropic from "@anthropic-ai/sdk";
import { ApiError, GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { GatewayError, type ErrorCode } from "@sallyport/core";
import { OWNER_KEY, served } from "./served.js";

const { gateway, url } = await served();
/** Fails as its model's name says, before it says anything or in the middle of a word. */
gateway.providers.add({
  name: "failing",
  async *answer(call, { model }) {
    const [code, when] = model.split("--") as [ErrorCode, string];
    if (when === "later") {
      yield { type: "start", id: "answer_1", model, createdAtMs: 0 };
      yield { type: "text-start", index: 0, block: 0 };
      yield { type: "text-delta", index: 0, block: 0, text: "half a " };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new GatewayError(code, `It failed: ${call.model}.`, { retryAfterMs: 7_000 });
  },
});

const options = { apiKey: OWNER_KEY, maxRetries: 0 };
const openai = new OpenAI({ baseURL: `${url}/v1`, ...options });
const anthropic = new Anthropic({ baseURL: url, ...options });
const google = new GoogleGenAI({ apiKey: OWNER_KEY, httpOptions: { baseUrl: url } });

const faces = {
  chat: (model: string, stream: boolean) => openai.chat.completions.create({ model, messages: [{ role: "user", content: "x" }], stream }),
  responses: (model: string, stream: boolean) => openai.responses.create({ model, input: "x", stream }),
  messages: (model: string, stream: boolean) =>
    anthropic.messages.create({ model, max_tokens: 10, messages: [{ role: "user", content: "x" }], stream }),
  generate: (model: string, stream: boolean): Promise<unknown> =>
    stream ? google.models.generateContentStream({ model, contents: "x" }) : google.models.generateContent({ model, contents: "x" }),
};
type Face = keyof typeof faces;
const all = Object.keys(faces) as Face[];

async function failureOf(work: PromiseLike<unknown>): Promise<Error & { status?: number; requestID?: string; headers?: Headers }> {
  return Promise.resolve(work).then(
    () => expect.fail("It did not fail."),
    (error: unknown) => error as Error,
  );
}
async function drain(stream: unknown): Promise<number> {
  let events = 0;
  for await (const _event of stream as AsyncIterable<unknown>) events++;
  return events;
}

describe("98: an error of ours is each SDK's own", () => {
  const classes = [
    ["upstream_rate_limited", 429, OpenAI.RateLimitError, Anthropic.RateLimitError],
    ["content_blocked", 403, OpenAI.PermissionDeniedError, Anthropic.PermissionDeniedError],
    ["upstream_unavailable", 502, OpenAI.InternalServerError, Anthropic.InternalServerError],
    ["upstream_timeout", 504, OpenAI.InternalServerError, Anthropic.InternalServerError],
    ["unsupported_feature", 422, OpenAI.UnprocessableEntityError, Anthropic.UnprocessableEntityError],
  ] as const;

  it.each(classes)("%s is %i, whole and streamed", async (code, status, openaiClass, anthropicClass) => {
    for (const face of all)
      for (const stream of [false, true]) {
        const failure = await failureOf(faces[face](`failing/${code}`, stream));
        const expected = face === "messages" ? anthropicClass : face === "generate" ? ApiError : openaiClass;
        expect(failure, face).toBeInstanceOf(expected);
        if (face !== "generate") expect(failure, face).toMatchObject({ status, requestID: expect.stringMatching(/^req_/) as string });
        expect(failure.message, face).toContain("It failed");
      }
  });

  it("99: says when to try again, as each SDK reads it", async () => {
    for (const face of ["chat", "responses", "messages"] as const) {
      const { headers } = await failureOf(faces[face]("failing/upstream_rate_limited", false));
      expect(headers?.get("retry-after"), face).toBe("7");
    }
    const failure = await failureOf(faces.generate("failing/upstream_rate_limited", false));
    expect(failure).toMatchObject({ status: 429, message: expect.stringContaining('"retryDelay":"7s"') as string });
  });

  it.each(all)("54: in the middle of a stream it ends %s, and never as if it were whole", async (face) => {
    const stream = await faces[face]("failing/upstream_interrupted--later", true);
    const failure = await failureOf(drain(stream));
    expect(failure.message).toContain("It failed");
    if (face !== "generate") expect(failure).toBeInstanceOf(face === "messages" ? Anthropic.APIError : OpenAI.APIError);
  });
});
