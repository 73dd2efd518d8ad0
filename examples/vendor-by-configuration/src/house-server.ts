import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface Seen {
  readonly path: string;
  readonly key: string | undefined;
  readonly team: string | undefined;
  readonly body: Record<string, unknown>;
}

/** A model server of one's own: it speaks OpenAI's chat protocol, but takes its key in another header, knows no `developer` messages and limits tokens by the old field. */
export async function houseServer() {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
      const { "x-house-key": key, "x-team": team } = request.headers;
      seen.push({ path: request.url ?? "", key: key as string | undefined, team: team as string | undefined, body });
      const choices = [{ index: 0, message: { role: "assistant", content: "At your service." }, finish_reason: "stop" }];
      const usage = { prompt_tokens: 1_000, completion_tokens: 10, total_tokens: 1_010 };
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ id: "c1", object: "chat.completion", created: 1, model: "butler", choices, usage }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    seen,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
