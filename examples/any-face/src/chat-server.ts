import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface ChatBody {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

/** Stands for a server that knows OpenAI's Chat Completions and nothing else: it calls the first tool that it is offered, and else says that it heard. */
export async function chatServer() {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      paths.push(request.url ?? "");
      const { messages, tools } = JSON.parse(Buffer.concat(parts).toString()) as ChatBody;
      const last = messages.at(-1);
      const tool = tools?.[0]?.function.name;
      const isAsked = last?.role === "user" && tool !== undefined;
      const message = isAsked
        ? { content: null, tool_calls: [{ id: "call_1", type: "function", function: { name: tool, arguments: '{"harbour":"Brest"}' } }] }
        : { content: last?.role === "tool" ? `It is ${String(last.content)}.` : "I hear you." };
      const choices = [{ index: 0, message: { role: "assistant", ...message }, finish_reason: isAsked ? "tool_calls" : "stop" }];
      const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ id: "c1", object: "chat.completion", created: 1, model: "pilot", choices, usage }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    paths,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
