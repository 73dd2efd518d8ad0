// A thin JSON-RPC proxy that keeps the encoded tools/list: only the id is new. For `tools/list` of many tools.
import { createServer } from "node:http";
import { request as ask } from "undici";

const answer = await ask(`http://127.0.0.1:${process.env.UPSTREAM}/mcp`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
});
const result = Buffer.from(JSON.stringify((await answer.body.json()).result));
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (chunk) => parts.push(chunk));
  request.on("end", () => {
    const message = JSON.parse(Buffer.concat(parts).toString());
    const out = Buffer.concat([Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":`), result, Buffer.from("}")]);
    response.writeHead(200, { "content-type": "application/json", "content-length": out.length }).end(out);
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
