import { createServer, request as ask } from "node:http";
import type { AddressInfo } from "node:net";

/** Passes everything on to `target` as it is, and remembers the last body: the stand-in itself keeps requests only in a form of its own, without pictures and schemas. */
export async function startRecorder(target: string) {
  let last = "";
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts);
      last = body.toString("utf8");
      const { host: _host, ...headers } = request.headers;
      const onward = ask(`${target}${request.url}`, { method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lastBody: () => last,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
