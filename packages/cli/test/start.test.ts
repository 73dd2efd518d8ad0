import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "@sallyport/adapter-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { emptyFolder, run, started, stop } from "./command.js";

const shell = promisify(execFile);
const madeKey = /Owner key\s+(sallyport_owner_\S+)/;
const givenKey = "an-owner-key-of-this-test-7f3a9c51e8";

/** The status that a key gets. */
async function statusOf(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  await response.arrayBuffer();
  return response.status;
}

/** A vendor whose answers begin and never end. */
async function slowVendor() {
  let calls = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.method === "POST") calls++;
    response.writeHead(200, { "content-type": "text/event-stream" });
    const delta = { index: 0, delta: { role: "assistant", content: "begun" }, finish_reason: null };
    response.write(
      `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "model", choices: [delta] })}\n\n`,
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, calls: () => calls };
}

describe("the first start", () => {
  it("needs nothing, prints where each face is and a curl that works as it stands, and the owner key", async () => {
    const cwd = emptyFolder();
    const gateway = await started({ cwd });
    const [, key = ""] = await gateway.printed(madeKey);
    const [text] = await gateway.printed(/[\s\S]*/);
    for (const face of ["/v1", "/mcp", "/api/v1", "/health"]) expect(text).toContain(`${gateway.url}${face} `.trimEnd());
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect(await statusOf(gateway.url, key)).toBe(200);
    expect(await statusOf(gateway.url, `${key}x`)).toBe(401);

    const curl = /curl [\s\S]*?'\n/.exec(text)?.[0] ?? "";
    const { stdout } = await shell("sh", ["-c", curl]);
    expect(JSON.parse(stdout)).toMatchObject({ choices: [{ message: { content: "Hello, Sallyport" } }] });

    expect(statSync(join(cwd, ".sallyport")).mode & 0o777).toBe(0o700);
    expect(statSync(join(cwd, ".sallyport/secret")).mode & 0o777).toBe(0o600);
    expect(statSync(join(cwd, ".sallyport/sallyport.db")).isFile()).toBe(true);
    const { code, signal, err } = await stop(gateway);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(`${text}${err}`.split(key).length - 1, "the key is printed, and stands in the curl").toBe(2);
    expect(readFileSync(join(cwd, ".sallyport/sallyport.db")).includes(key)).toBe(false);
  });
});

describe("several starts at once in one empty folder", () => {
  it("make one secret, one database and one owner key, which one of them shows and all of them take", async () => {
    const cwd = emptyFolder();
    const gateways = await Promise.all([1, 2, 3].map(() => started({ cwd })));
    const texts = await Promise.all(gateways.map(async (gateway) => (await gateway.printed(/[\s\S]*/))[0]));
    const keys = texts.flatMap((text) => madeKey.exec(text)?.[1] ?? []);
    expect(keys).toHaveLength(1);
    for (const gateway of gateways) expect(await statusOf(gateway.url, keys[0] ?? "")).toBe(200);
    for (const gateway of gateways) expect((await stop(gateway)).code).toBe(0);
    expect(readdirSync(join(cwd, ".sallyport")).filter((name) => name.startsWith("secret"))).toEqual(["secret"]);
  });
});

describe("the second start", () => {
  it("keeps everything, and prints no key", async () => {
    const cwd = emptyFolder();
    const first = await started({ cwd });
    const [, key = ""] = await first.printed(madeKey);
    const create = await fetch(`${first.url}/api/v1/runs`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "demo/echo", input: "kept" }),
    });
    const { id } = (await create.json()) as { id: string };
    await (await fetch(`${first.url}/api/v1/runs/${id}/events`, { headers: { authorization: `Bearer ${key}` } })).text();
    await stop(first);

    const second = await started({ cwd });
    const kept = await fetch(`${second.url}/api/v1/runs/${id}`, { headers: { authorization: `Bearer ${key}` } });
    expect(await kept.json()).toMatchObject({ id, status: "succeeded", text: "kept" });
    const { out, err, code } = await stop(second, "SIGTERM");
    expect(code).toBe(0);
    expect(out).toContain("the one shown at the first start");
    expect(`${out}${err}`).not.toContain("sallyport_owner_");
  });

  it("takes another owner key from the environment, and the old one is no longer valid", async () => {
    const cwd = emptyFolder();
    const first = await started({ cwd });
    const [, key = ""] = await first.printed(madeKey);
    await stop(first);
    const second = await started({ cwd, env: { SALLYPORT_OWNER_KEY: givenKey } });
    expect(await statusOf(second.url, givenKey)).toBe(200);
    expect(await statusOf(second.url, key)).toBe(401);
    const { out, err } = await stop(second);
    expect(out).toContain("from SALLYPORT_OWNER_KEY");
    expect(`${out}${err}`).not.toContain(givenKey);
  });
});

describe("stopping", () => {
  it("takes two signals of one keystroke for one", async () => {
    const gateway = await started({ cwd: emptyFolder() });
    gateway.child.kill("SIGINT");
    gateway.child.kill("SIGINT");
    const { code, signal } = await gateway.finished;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });

  it("lets a stream that is under way finish, and leaves no process behind", async () => {
    const cwd = emptyFolder();
    const gateway = await started({ cwd, env: { SALLYPORT_OWNER_KEY: givenKey } });
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${givenKey}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "demo/echo", stream: true, messages: [{ role: "user", content: "word ".repeat(200) }] }),
    });
    gateway.child.kill("SIGINT");
    expect((await response.text()).trimEnd().endsWith("data: [DONE]")).toBe(true);
    expect((await gateway.finished).code).toBe(0);
    expect(() => process.kill(gateway.child.pid ?? 0, 0)).toThrow(expect.objectContaining({ code: "ESRCH" }) as Error);
  });

  it("gives calls and runs that do not end one and the same time", async () => {
    const vendor = await slowVendor();
    const cwd = emptyFolder();
    const config = {
      providers: { slow: { vendor: "openai-compatible", baseUrl: `http://127.0.0.1:${vendor.port}/v1` } },
      server: { timeouts: { shutdownMs: 5_000 } },
    };
    writeFileSync(join(cwd, "sallyport.config.json"), JSON.stringify(config));
    const gateway = await started({ cwd, env: { SALLYPORT_OWNER_KEY: givenKey } });
    const post = (path: string, body: object) =>
      fetch(`${gateway.url}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${givenKey}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "slow/model", ...body }),
      });
    const stream = await post("/v1/chat/completions", { stream: true, messages: [{ role: "user", content: "Hello" }] });
    expect((await post("/api/v1/runs", { input: "Hello" })).status).toBeLessThan(300);
    await expect.poll(() => vendor.calls(), { timeout: 30_000 }).toBe(2);
    const askedAtMs = performance.now();
    gateway.child.kill("SIGTERM");
    expect(await stream.text()).toMatch(/begun[^]*shutting_down/);
    const { code, signal } = await gateway.finished;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedAtMs, "once the time, not twice").toBeLessThan(9_800);
  });

  it("is heeded while a server that never answers keeps the start", async () => {
    const cwd = emptyFolder();
    const pidFile = join(cwd, "pid");
    const script = `require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000);`;
    writeFileSync(
      join(cwd, "sallyport.config.json"),
      JSON.stringify({ mcpServers: { deaf: { command: process.execPath, args: ["-e", script] } } }),
    );
    const gateway = run(["start"], { cwd, env: { PORT: "0" } });
    await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, "utf8"), { timeout: 30_000 }).toMatch(/^\d+$/);
    const { code, signal, out, err } = await stop(gateway, "SIGTERM");
    expect({ code, signal, out }).toEqual({ code: 0, signal: null, out: "" });
    expect(err).toContain("Stopping before it was started.");
    expect(() => process.kill(Number(readFileSync(pidFile, "utf8")), 0)).toThrow(expect.objectContaining({ code: "ESRCH" }) as Error);
  });

  it("stops the MCP servers that it started", async () => {
    const cwd = emptyFolder();
    const pidFile = join(cwd, "pid");
    // A server that never answers and would live on by itself.
    const script = `require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000);`;
    writeFileSync(
      join(cwd, "sallyport.config.json"),
      JSON.stringify({ mcpServers: { deaf: { command: process.execPath, args: ["-e", script] } } }),
    );
    const gateway = await started({ cwd });
    await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, "utf8"), { timeout: 30_000 }).toMatch(/^\d+$/);
    const pid = Number(readFileSync(pidFile, "utf8"));
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect((await stop(gateway)).code).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow(expect.objectContaining({ code: "ESRCH" }) as Error);
  });
});

describe("listening beyond this machine", () => {
  it("says so, and by which names it answers", async () => {
    const any = await started({ cwd: emptyFolder(), env: { HOST: "0.0.0.0" } });
    const plain = await stop(any);
    expect(plain.out).toMatch(
      /^It listens on 0\.0\.0\.0:\d+, beyond this machine; it answers there only by loopback names: server\.allowedHosts names more\.$/m,
    );
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "sallyport.config.json"), JSON.stringify({ server: { host: "0.0.0.0", allowedHosts: ["gw.example"] } }));
    const named = await stop(await started({ cwd }));
    expect(named.out).toMatch(/^It listens on 0\.0\.0\.0:\d+, beyond this machine; it answers there as gw\.example: /m);
    const local = await stop(await started({ cwd: emptyFolder() }));
    expect(local.out).not.toContain("beyond this machine");
  });
});

describe("a log that nobody reads any more", () => {
  it("ends no gateway", async () => {
    const port = await freePort();
    const gateway = run(["start"], { cwd: emptyFolder(), env: { PORT: String(port) } });
    gateway.child.stdout.destroy();
    gateway.child.stderr.destroy();
    const status = () =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        (response) => response.status,
        () => 0,
      );
    await expect.poll(status, { timeout: 30_000 }).toBe(200);
    gateway.child.kill("SIGTERM");
    const { code, signal } = await gateway.finished;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });
});

describe("configuration", () => {
  it("comes from the file that is named, the environment and the flags", async () => {
    const cwd = emptyFolder();
    writeFileSync(
      join(cwd, "my.json"),
      JSON.stringify({
        server: { port: "${UNUSED:-1}" },
        providers: { local: { vendor: "openai-compatible", baseUrl: "http://127.0.0.1:9/v1" } },
      }),
    );
    const gateway = await started({
      cwd,
      env: { SALLYPORT_CONFIG: "my.json", DATABASE_URL: "memory:", PORT: "1" },
      args: ["--port", "0", "--data", "elsewhere"],
    });
    const { out } = await stop(gateway);
    expect(out).toContain("demo (offline), local");
    expect(out).toContain("my.json");
    expect(out).toContain("memory (lost when it stops)");
    expect(statSync(join(cwd, "elsewhere/secret")).isFile()).toBe(true);
  });
});

describe("a command line that fails", () => {
  it("ends with an exit code and words on standard error, and shows the stack only when it is asked for", async () => {
    const plain = await run(["start"], { cwd: emptyFolder(), env: { PORT: "x" } }).finished;
    expect(plain).toMatchObject({ code: 1, out: "" });
    expect(plain.err).toMatch(/^✖ .*\n {2}→ .*\n {2}invalid_config\n$/);
    const verbose = await run(["start", "--verbose"], { cwd: emptyFolder(), env: { PORT: "x" } }).finished;
    expect(verbose.code).toBe(1);
    expect(verbose.err).toMatch(/^\s+at /m);
  });

  it("says so before anything else when Node is too old", async () => {
    const older = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.20.0"}})`;
    const { code, out, err } = await run(["start"], { cwd: emptyFolder(), node: ["--import", older] }).finished;
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      `✖ Sallyport needs Node 20.19 or newer; this is 18.20.0 (${process.execPath}).\n  → Install Node 22 or 24 from https://nodejs.org, or with your version manager.\n`,
    );
  });
});

describe("help", () => {
  it("lists the commands there are, and no others, as the reference does", async () => {
    const { code, out } = await run(["--help"], { cwd: emptyFolder() }).finished;
    expect(code).toBe(0);
    const commands = ["start", "doctor", "keys", "users", "secrets", "config", "mcp", "export", "import", "migrate"];
    expect([...out.matchAll(/^ {2}(\w+)(?: [[<][\w.]+[\]>])* {2,}\S/gm)].map((match) => match[1])).toEqual(commands);
    const page = readFileSync(new URL("../../../docs/reference/command-line.md", import.meta.url), "utf8");
    expect([...page.matchAll(/^\| `sallyport (\w+)` \|/gm)].map((match) => match[1])).toEqual(commands);
  });

  it("tells the version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
    const { code, out } = await run(["--version"], { cwd: emptyFolder() }).finished;
    expect(code).toBe(0);
    expect(out).toContain(`sallyport/${version} `);
  });
});
