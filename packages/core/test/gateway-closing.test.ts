import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { Gateway } from "../src/index.js";

const request = () => new Request("http://localhost/health");
function quiet(options: ConstructorParameters<typeof Gateway>[0] = {}): Gateway {
  const gateway = new Gateway({ env: {}, log: () => undefined, onOwnerKey: () => undefined, ...options });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  return gateway;
}

describe("a gateway that was closed", () => {
  it.each([
    ["was started", true],
    ["never was", false],
  ])("answers shutting_down, in our shape, when it %s", async (_which, isStarted) => {
    const gateway = quiet();
    if (isStarted) expect((await gateway.fetch(request())).status).toBe(200);
    await gateway.close({ graceMs: 0 });
    const answer = await gateway.fetch(request());
    expect(answer.status).toBe(503);
    expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
    expect(await answer.json()).toMatchObject({ error: { code: "shutting_down" } });
    await expect(gateway.start()).rejects.toMatchObject({ code: "shutting_down" });
  });

  it("while it was starting, keeps nobody waiting for a server that does not answer", async () => {
    const gateway = quiet({ mcpServers: { deaf: { command: process.execPath, args: ["-e", "setInterval(() => {}, 1000)"] } } });
    const heard = gateway.start().then(
      () => "started",
      (error: { code?: string }) => error.code,
    );
    while (gateway.mcp.status().length === 0) await nextTurn();
    await gateway.close({ graceMs: 0 });
    expect(await heard).toBe("shutting_down");
  });
});

describe("draining", () => {
  it("with a grace takes no run any more, and still answers", async () => {
    const gateway = quiet();
    await gateway.start();
    expect(await gateway.run({ model: "demo/echo", input: "Hello" })).toMatchObject({ text: "Hello" });
    gateway.drain({ graceMs: 1_000 });
    await expect(gateway.run({ model: "demo/echo", input: "Hello" })).rejects.toMatchObject({ code: "shutting_down" });
    expect((await gateway.fetch(request())).status).toBe(200);
    expect((await gateway.fetch(new Request("http://localhost/ready"))).status).toBe(503);
  });
});
