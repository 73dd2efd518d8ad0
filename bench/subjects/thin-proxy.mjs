// The thin JSON proxy that everything is compared with: node:http in, an undici pool out, every body and every event parsed and re-serialised.
import { createServer } from "node:http";
import { Pool } from "undici";

const pool = new Pool(`http://127.0.0.1:${process.env.UPSTREAM}`, { connections: 2048 });
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (chunk) => parts.push(chunk));
  request.on("end", () => {
    void forward(request.url, JSON.parse(Buffer.concat(parts).toString()), response);
  });
});

async function forward(path, body, response) {
  if (typeof body.method === "string" && body.params?.name !== undefined) body.params.name = body.params.name.replace(/^mock__/, "");
  if (typeof body.model === "string") body.model = body.model.replace(/^mock\//, "");
  const upstream = await pool.request({
    path,
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-mock", accept: "application/json, text/event-stream" },
    body: JSON.stringify(body),
  });
  const type = upstream.headers["content-type"] ?? "";
  if (!type.startsWith("text/event-stream")) {
    const text = await upstream.body.text();
    const out = Buffer.from(text === "" ? "" : JSON.stringify(JSON.parse(text)));
    response.writeHead(upstream.statusCode, { "content-type": "application/json", "content-length": out.length }).end(out);
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  let rest = "";
  for await (const chunk of upstream.body) {
    rest += chunk.toString();
    let out = "";
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const data = rest.slice(6, end);
      rest = rest.slice(end + 2);
      out += data === "[DONE]" ? "data: [DONE]\n\n" : `data: ${JSON.stringify(JSON.parse(data))}\n\n`;
    }
    if (out !== "") response.write(out);
  }
  response.end();
}
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
