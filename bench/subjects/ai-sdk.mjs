// What many teams write: the Vercel AI SDK in an Express handler, asked in OpenAI's dialect and answered by Anthropic's.
import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, streamText } from "ai";
import express from "express";

const anthropic = createAnthropic({ baseURL: `http://127.0.0.1:${process.env.UPSTREAM}/v1`, apiKey: "sk-mock" });
const app = express().use(express.json());

app.post("/v1/chat/completions", async (request, response) => {
  const { messages, stream } = request.body;
  const system = messages.find((message) => message.role === "system")?.content;
  const call = { model: anthropic("mock-1"), system, messages: messages.filter((message) => message.role !== "system"), maxRetries: 0 };
  const head = { id: "chatcmpl-1", created: 1760000000, model: "mock-1" };
  if (stream !== true) {
    const { text, usage } = await generateText(call);
    const choice = { index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" };
    response.json({ ...head, object: "chat.completion", choices: [choice], usage });
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  for await (const content of streamText(call).textStream) {
    const choice = { index: 0, delta: { content }, finish_reason: null };
    response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [choice] })}\n\n`);
  }
  response.end("data: [DONE]\n\n");
});
const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
