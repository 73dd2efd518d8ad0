import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Gateway } from "@sallyport/core";
import { createApp } from "./app.js";

const key = "express-host-owner-key-5b1f0c9d7e38";
const gateway = new Gateway({ env: {}, ownerKey: key });
let server: Server;
let url: string;

beforeAll(async () => {
  server = createApp(gateway).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await gateway.close();
});

describe("an Express application with the gateway below /ai", () => {
  it("keeps its own routes", async () => {
    expect(await (await fetch(url)).text()).toBe("My own application");
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });

  it("serves the official openai SDK, streaming, behind json(), compression() and helmet()", async () => {
    const client = new OpenAI({ baseURL: `${url}/ai/v1`, apiKey: key });
    const stream = await client.chat.completions.create({
      model: "demo/echo",
      stream: true,
      messages: [{ role: "user", content: "one two three" }],
    });
    const parts: string[] = [];
    for await (const chunk of stream) parts.push(chunk.choices[0]?.delta.content ?? "");
    expect(parts.join("")).toBe("one two three");
    expect(parts.filter((part) => part !== "").length).toBeGreaterThan(1);
  });

  it("serves an MCP client", async () => {
    const client = new Client({ name: "example", version: "1.0.0" });
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/ai/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${key}` } },
    });
    await client.connect(transport);
    const result = await client.callTool({ name: "demo__calculator", arguments: { expression: "6*7" } });
    expect(JSON.stringify(result.content)).toContain("42");
    await client.close();
  });

  it("runs an agent over REST, and lets its events be read to the end", async () => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const body = JSON.stringify({ model: "demo/scripted", input: 'call demo__calculator {"expression":"6*7"}', tools: ["demo__*"] });
    const created = await fetch(`${url}/ai/api/v1/runs`, { method: "POST", headers, body });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: string };
    const events = await (await fetch(`${url}/ai/api/v1/runs/${id}/events`, { headers })).text();
    expect(events).toMatch(/event: run\.succeeded/);
    expect(events).toContain("42");
  });

  it("asks for a key, and refuses a wrong one", async () => {
    expect((await fetch(`${url}/ai/v1/models`)).status).toBe(401);
    expect((await fetch(`${url}/ai/v1/models`, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
    expect((await fetch(`${url}/ai/health`)).status).toBe(200);
  });
});

describe("the same application as a program", () => {
  it("starts, shows its owner key once, keeps it, and ends with Ctrl-C", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-express-"));
    const start = () => {
      const child = spawn(process.execPath, ["--import", "tsx", fileURLToPath(new URL("./server.ts", import.meta.url))], {
        env: { PATH: process.env["PATH"], PORT: "0", SALLYPORT_DATA: join(folder, "data") },
      });
      let text = "";
      const listening = new Promise<string>((resolve, reject) => {
        child.stdout.setEncoding("utf8").on("data", (part: string) => {
          text += part;
          const address = /the gateway below (\S+)/.exec(text)?.[1];
          if (address !== undefined) resolve(address);
        });
        child.once("exit", () => reject(new Error(text)));
      });
      const stop = async (): Promise<unknown> => {
        child.kill("SIGINT");
        return (await once(child, "close"))[0];
      };
      return { listening, stop, shownKey: () => /shown only this once: (\S+)/.exec(text)?.[1] };
    };
    const statusOf = async (address: string, owner: string) =>
      (await fetch(`${address}/v1/models`, { headers: { authorization: `Bearer ${owner}` } })).status;

    const first = start();
    const at = await first.listening;
    const owner = first.shownKey() ?? "";
    expect(await statusOf(at, owner)).toBe(200);
    expect(await first.stop()).toBe(0);

    const second = start();
    expect(await statusOf(await second.listening, owner)).toBe(200);
    expect(second.shownKey()).toBeUndefined();
    expect(await second.stop()).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  });
});
