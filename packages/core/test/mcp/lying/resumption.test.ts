import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { closed, proxyHarness } from "../proxy-harness.js";

/** A server up to 2025-11-25 that closes the stream of a call each time, until it was asked for the rest so often. */
async function closingEarly(answersAfter: number) {
  const resumedFrom: string[] = [];
  const results: Readonly<Record<string, object>> = {
    initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "early", version: "1" } },
    "tools/list": { tools: [{ name: "slow", inputSchema: { type: "object" } }] },
  };
  let called = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const stream = (text: string) => response.writeHead(200, { "content-type": "text/event-stream" }).end(text);
      const from = request.headers["last-event-id"];
      if (request.method === "GET" && from === undefined) return void response.writeHead(405).end();
      if (request.method === "GET") {
        resumedFrom.push(String(from));
        const done = JSON.stringify({ jsonrpc: "2.0", id: called, result: { content: [{ type: "text", text: "at last" }] } });
        const isOver = resumedFrom.length >= answersAfter;
        return void stream(isOver ? `data: ${done}\n\n` : `id: e${resumedFrom.length}\nretry: 0\ndata:\n\n`);
      }
      const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method: string };
      if (id === undefined) return void response.writeHead(202).end();
      if (method === "tools/call") {
        called = id;
        return void stream("id: e0\nretry: 0\ndata:\n\n");
      }
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result: results[method] ?? {} }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => closed(server));
  const { proxy } = proxyHarness();
  await proxy.connect("early", { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
  return { proxy, resumedFrom };
}

it("an answer whose stream is closed in mid-call is taken up where it was, as often as it is closed", async () => {
  const { proxy, resumedFrom } = await closingEarly(3);
  expect((await proxy.call("early__slow")).raw["content"]).toEqual([{ type: "text", text: "at last" }]);
  expect(resumedFrom).toEqual(["e0", "e1", "e2"]);
});

it("a server that wants it to be taken up at once, and never answers, is not asked in a hurry", async () => {
  const { proxy, resumedFrom } = await closingEarly(Infinity);
  await expect(proxy.call("early__slow", {}, { timeoutMs: 1_000 })).rejects.toMatchObject({
    code: expect.stringMatching(/^(outcome_unknown|upstream_timeout|upstream_interrupted)$/) as unknown,
  });
  expect(resumedFrom.length).toBeLessThan(15);
});
