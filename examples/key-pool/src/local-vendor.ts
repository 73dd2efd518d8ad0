import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A vendor on this machine that speaks OpenAI's chat protocol, knows one key, and remembers which were tried. */
export async function localVendor(goodKey: string) {
  const keys: string[] = [];
  const server = createServer((request, response) => {
    const key = (request.headers.authorization ?? "").replace("Bearer ", "");
    keys.push(key);
    request.resume().on("end", () => {
      const good = key === goodKey;
      const choices = [{ index: 0, message: { role: "assistant", content: "It works." }, finish_reason: "stop" }];
      const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
      const answer = { id: "c1", object: "chat.completion", created: 1, model: "small", choices, usage };
      response
        .writeHead(good ? 200 : 401, { "content-type": "application/json" })
        .end(JSON.stringify(good ? answer : { error: { message: "Incorrect API key provided.", type: "invalid_request_error" } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    keys,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
