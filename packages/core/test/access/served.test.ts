import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway.js";
import { serve } from "../../src/node/index.js";
import { gatewayOf, json, PASSWORD } from "./harness.js";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => void (await Promise.all(ends.splice(0).map((end) => end()))));

async function served(): Promise<{ gateway: Gateway; url: string; port: number }> {
  const gateway = await gatewayOf();
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  const server = await serve(gateway, { port, host: "127.0.0.1" });
  ends.push(async () => {
    await server.close();
    await gateway.close({ graceMs: 0 });
  });
  return { gateway, url: `http://127.0.0.1:${port}`, port };
}

it("a stream over a real socket ends with an error when its key is revoked, and the connection goes on", async () => {
  const { gateway, port } = await served();
  const { id, key } = await gateway.keys.create({ name: "k" });
  const body = JSON.stringify({ model: "demo/echo", stream: true, messages: [{ role: "user", content: "word ".repeat(4_000) }] });
  const request = httpRequest({
    port,
    method: "POST",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  let text = "";
  response.setEncoding("utf8");
  response.once("data", () => void gateway.keys.revoke(id));
  response.on("data", (chunk: string) => (text += chunk));
  await once(response, "end");
  expect(response.complete).toBe(true);
  expect(text).toContain("revoked");
  expect(text).not.toContain("[DONE]");
});

it("each cookie of an answer is a header of its own, and a browser's session works over a real socket", async () => {
  const { gateway, url } = await served();
  await gateway.users.create({ username: "ada", password: PASSWORD, role: "viewer" });
  const login = await fetch(`${url}/api/v1/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "ada", password: PASSWORD }),
  });
  const [cookie] = login.headers.getSetCookie();
  expect(login.headers.getSetCookie()).toHaveLength(1);
  const me = await json(await fetch(`${url}/api/v1/me`, { headers: { cookie: cookie!.split(";")[0]! } }));
  expect(me).toMatchObject({ kind: "user", name: "ada" });
});

it("paths and hosts that are written otherwise reach nothing with a session or a key that the plain one would not (T06)", async () => {
  const { port } = await served();
  const paths = [
    "//api/v1/me",
    "/api//v1/me",
    "/api/v1/%6de",
    "/api/v1/me;x",
    "/API/v1/me",
    "/./api/v1/me",
    "/api/v1/../v1/me",
    "/api/v1/me%00",
    "/api/v1/keys/..;/me",
    "\\\\api\\\\v1\\\\me",
    "/api/v1/login/../keys",
    "/health/../api/v1/keys",
    "/api/v1/keys%2f",
    "/api/v1/me#x",
  ];
  for (const path of paths) {
    const socket = connect(port, "127.0.0.1");
    socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect([path, /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]]).toEqual([path, expect.stringMatching(/^(400|401|404|405)$/)]);
  }
});
