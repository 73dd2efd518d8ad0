import { LLMock } from "@copilotkit/aimock";
import type { GatewayOptions } from "@sallyport/core";

/** The vendors' stand-in: https://www.npmjs.com/package/@copilotkit/aimock, a third party's. It answers in each vendor's own dialect, from the same fixtures. */
export async function startVendors(): Promise<LLMock> {
  const mock = new LLMock({ port: 0, logLevel: "silent" });
  const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18, input_tokens: 11, output_tokens: 7 };
  const google = { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 };
  mock.on({ userMessage: "what is the weather", hasToolResult: true }, { content: "Sunny in Oslo." });
  mock.on({ userMessage: "what is the weather in two places" }, { toolCalls: [weather("Oslo"), weather("Rome")] });
  mock.on({ userMessage: "what is the weather" }, { toolCalls: [weather("Oslo")] });
  mock.on({ userMessage: "who are you", systemMessage: "You are a pirate" }, { content: "Arr, a pirate." });
  mock.on({ userMessage: "say it in json" }, { content: '{"answer":"yes"}' });
  mock.on({ userMessage: "what do you see" }, { content: "A picture." });
  mock.on({ userMessage: "think hard" }, { content: "Forty-two.", reasoning: "Six times seven." });
  mock.on({ userMessage: "and then" }, { content: "The end." });
  mock.on({ userMessage: "be long" }, { content: "It goes on and", finishReason: "length" });
  mock.on({ userMessage: "slow down" }, { error: { message: "Too many requests.", type: "rate_limit_error" }, status: 429 });
  mock.on({ userMessage: "break" }, { error: { message: "The server had an error.", type: "server_error" }, status: 500 });
  mock.on({ userMessage: "hello" }, { content: "Hello there, friend.", usage: { ...usage, ...google } });
  await mock.start();
  return mock;
}

function weather(city: string) {
  return { name: "get_weather", arguments: JSON.stringify({ city }) };
}

/** A provider for each protocol that vendors are spoken to in. */
export function providersOf(url: string): NonNullable<GatewayOptions["providers"]> {
  const apiKey = "sk-mock";
  const openai = `${url}/v1`;
  return {
    chat: { vendor: "openai-compatible", baseUrl: openai, apiKey },
    responses: { vendor: "openai", protocols: ["openai-responses"], baseUrl: openai, apiKey },
    messages: { vendor: "anthropic", baseUrl: url, apiKey },
    google: { vendor: "google", baseUrl: url, apiKey },
  };
}

export const protocols = [
  { provider: "chat", title: "OpenAI Chat" },
  { provider: "responses", title: "OpenAI Responses" },
  { provider: "messages", title: "Anthropic Messages" },
  { provider: "google", title: "Google generateContent" },
] as const;
