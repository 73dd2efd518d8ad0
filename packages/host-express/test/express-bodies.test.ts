import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mount } from "@sallyport/host-express";
import express, { type RequestHandler } from "express";
import helmet from "helmet";
import { describe, expect, it, onTestFinished } from "vitest";
import { gatewayUnderTest, KEY } from "./gateway-under-test.js";

async function served(before: readonly RequestHandler[], path = "/ai") {
  const { gateway, close, model } = await gatewayUnderTest();
  const app = express().use(...before, (_request, _response, next) => next());
  app.use(path, mount(gateway));
  const server = createServer(app).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const chat = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${base}${path}/v1/chat/completions`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json", ...headers },
    });
  return { base, chat, model, gateway };
}

async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: { code: string; message: string; hint?: string } };
  return { status: response.status, ...error };
}

const keepRaw = express.json({ verify: (request, _response, bytes) => void Object.assign(request, { rawBody: bytes }) });

describe("a body that something before the gateway has read", () => {
  it.each<[string, RequestHandler]>([
    ["express.json()", express.json()],
    ["express.json() that keeps the bytes", keepRaw],
    ["express.raw()", express.raw({ type: "application/json" })],
    ["express.text()", express.text({ type: "application/json" })],
  ])("is had again after %s", async (_name, parser) => {
    const { chat, model } = await served([parser]);
    const response = await chat(JSON.stringify({ model, messages: [{ role: "user", content: "grüße 👋" }] }));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("grüße 👋");
  });

  it("is the bytes as they were sent, when the parser kept them", async () => {
    const { gateway, chat, model } = await served([keepRaw]);
    const bodies: string[] = [];
    const { handle } = gateway;
    gateway.handle = (inbound) => {
      const { body } = inbound;
      inbound.body = async (max) => {
        const bytes = await body.call(inbound, max);
        bodies.push(Buffer.from(bytes).toString());
        return bytes;
      };
      return handle.call(gateway, inbound);
    };
    const sent = `{ "seed": 12345678901234567890, "model": "${model}", "messages": [] }`;
    await chat(sent);
    expect(bodies).toEqual([sent]);
  });

  it("is refused in words when nothing of it was kept", async () => {
    const swallow: RequestHandler = (request, _response, next) => void request.resume().once("end", () => next());
    const { chat, model } = await served([swallow]);
    const error = await errorOf(await chat(JSON.stringify({ model, messages: [] })));
    expect(error).toMatchObject({ status: 500, code: "misconfigured" });
  });

  it("is refused in words when it is a form, parsed or not", async () => {
    const { chat } = await served([express.urlencoded()]);
    expect(await errorOf(await chat("a=b", { "content-type": "application/x-www-form-urlencoded" }))).toMatchObject({ status: 415 });
  });

  it("may be empty", async () => {
    const { chat } = await served([express.json()]);
    expect(await errorOf(await chat(""))).toMatchObject({ status: 400 });
  });
});

describe("the application around it", () => {
  it("keeps its own headers, and its own routes beside the mount", async () => {
    const beside: RequestHandler = (request, response, next) => (request.path === "/mine" ? void response.send("mine") : next());
    const { base } = await served([helmet(), beside]);
    expect(await (await fetch(`${base}/mine`)).text()).toBe("mine");
    const health = await fetch(`${base}/ai/health`);
    expect(health.headers.get("content-security-policy")).toContain("default-src");
    expect(health.headers.get("x-request-id")).toMatch(/^req_/);
    expect((await fetch(`${base}/health`)).status).toBe(404);
  });

  it("may rewrite addresses before the mount", async () => {
    const rewrite: RequestHandler = (request, _response, next) => {
      request.url = request.url.replace(/^\/llm\//, "/ai/");
      next();
    };
    const { base } = await served([rewrite]);
    expect((await fetch(`${base}/llm/health`)).status).toBe(200);
  });

  it("may have its mount spelled in other letters, as Express does; the gateway's own paths may not", async () => {
    const { base } = await served([]);
    expect((await fetch(`${base}/AI/health`)).status).toBe(200);
    expect((await fetch(`${base}/ai/HEALTH`)).status).toBe(404);
    expect((await fetch(`${base}/ai`)).status).toBe(404);
    expect((await fetch(`${base}/ai?x=1`)).status).toBe(404);
  });
});
