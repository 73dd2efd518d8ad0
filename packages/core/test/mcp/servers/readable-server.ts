import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A number that no JSON.parse keeps: what was parsed and written anew is told from what was relayed. */
const KEPT = "12345678901234567890";
const METHODS: Readonly<Record<string, string>> = {
  initialize:
    '{"protocolVersion":"2025-06-18","capabilities":{"prompts":{},"resources":{},"completions":{}},"serverInfo":{"name":"s","version":"1"}}',
  "prompts/list": '{"prompts":[{"name":"p","arguments":[{"name":"a"}]}]}',
  "resources/list": '{"resources":[]}',
  "resources/templates/list": '{"resourceTemplates":[{"uriTemplate":"x://{path}","name":"x"}]}',
  "prompts/get": `{"messages":[{"role":"user","content":{"type":"text","text":"fine"}}],"_meta":{"n":${KEPT}}}`,
  "resources/read": `{"contents":[{"uri":"x://r","text":"fine"}],"_meta":{"n":${KEPT}}}`,
  "completion/complete": `{"completion":{"values":["fine"]},"_meta":{"n":${KEPT}}}`,
};
const READ: ReadonlySet<string> = new Set(["prompts/get", "resources/read", "completion/complete"]);

/** A server with a prompt, resources and completions; `read` has the parameters of what was read, as they came. */
export async function readableServer() {
  const read: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      if (body === "") return void response.writeHead(405).end();
      const { id, method, params } = JSON.parse(body) as { readonly id?: number; readonly method: string; readonly params?: unknown };
      if (id === undefined) return void response.writeHead(202).end();
      if (READ.has(method)) read.push(JSON.stringify(params));
      const result = METHODS[method];
      const said = result === undefined ? '"error":{"code":-32601,"message":"no"}' : `"result":${result}`;
      response.writeHead(200, { "content-type": "application/json" }).end(`{"jsonrpc":"2.0","id":${id},${said}}`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { read, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` };
}
