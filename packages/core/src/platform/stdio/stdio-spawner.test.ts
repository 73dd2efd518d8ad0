import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { Secret, type McpSpawner, type StdioServer } from "../../ports/index.js";
import { stdioSpawner, type StdioSpawnerOptions } from "./stdio-spawner.js";

type Opened = Awaited<ReturnType<McpSpawner["open"]>>;
const opened: Opened[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((wire) => wire.close()));
});

const soon = () => ({ deadlineMs: Date.now() + 10_000 });
const script = (source: string): StdioServer => ({ command: process.execPath, args: ["-e", source], env: {} });

async function open(server: StdioServer, options: StdioSpawnerOptions = {}) {
  const wire = await stdioSpawner({ graceMs: 300, ...options }).open(server, soon());
  opened.push(wire);
  const frames: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  wire.onFrame((frame) => {
    frames.push(new TextDecoder().decode(frame));
    for (const waiter of waiting) if (frames.length >= waiter.count) waiter.resolve();
  });
  const closed = new Promise<Error | null>((resolve) => wire.onClose(resolve));
  const received = async (count: number) => {
    if (frames.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }));
    return frames;
  };
  return { wire, closed, received, send: (text: string) => wire.send(new TextEncoder().encode(text), soon()) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
/** A killed process is gone for us once init has reaped it. */
async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 3_000 && isAlive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  return !isAlive(pid);
}

describe("a stdio server", () => {
  it("is spoken to line by line, wherever the pipe cuts", async () => {
    const { received, send } = await open(
      script(
        `process.stdin.pipe(process.stdout); process.stdout.write('{"a"'); setTimeout(() => process.stdout.write(':1}\\r\\n\\n{"b":2}\\n'), 20)`,
      ),
    );
    expect(await received(2)).toEqual(['{"a":1}', '{"b":2}']);
    const big = JSON.stringify({ text: "ü".repeat(300_000) });
    await send(big);
    expect((await received(3))[2]).toBe(big);
  });

  it("sees only the configured environment and what a program needs to start", async () => {
    process.env["SALLYPORT_TEST_CREDENTIAL"] = "canary";
    const server = { ...script("console.log(JSON.stringify(process.env))"), env: { GIVEN: "1", SEALED: new Secret("s3") } };
    const { received } = await open(server);
    const env = JSON.parse((await received(1))[0]!) as Record<string, string>;
    delete process.env["SALLYPORT_TEST_CREDENTIAL"];
    expect(env).toMatchObject({ GIVEN: "1", SEALED: "s3", PATH: process.env["PATH"] });
    expect(
      Object.keys(env).filter(
        (name) => !["GIVEN", "SEALED", "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"].includes(name),
      ),
    ).toEqual([]);
  });

  it("gets its arguments as they are: no shell reads them", async () => {
    const { received } = await open({
      command: process.execPath,
      args: ["-p", "JSON.stringify(process.argv.slice(1))", "--", "$(id)", "a b", "; rm x", "*"],
      env: {},
    });
    expect(JSON.parse((await received(1))[0]!)).toEqual(["$(id)", "a b", "; rm x", "*"]);
  });

  it("that does not exist is the operator's mistake, and the error names the command", async () => {
    const error = stdioSpawner().open({ command: "sallyport-no-such-command", args: [], env: {} }, soon());
    await expect(error).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining('"sallyport-no-such-command" was not found') as unknown,
    });
  });

  it("that may not be run, or whose directory is not there, is named too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-"));
    const file = join(folder, "server");
    await writeFile(file, "not a program", { mode: 0o644 });
    await expect(stdioSpawner().open({ command: file, args: [], env: {} }, soon())).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("may not be run") as unknown,
    });
    await expect(stdioSpawner().open({ ...script(""), cwd: join(folder, "gone") }, soon())).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("gone") as unknown,
    });
    await expect(stdioSpawner().open({ command: process.execPath, args: ["a\0b"], env: {} }, soon())).rejects.toMatchObject({
      code: "misconfigured",
    });
    await rm(folder, { recursive: true });
  });

  it("that ends tells how, after its last words, and takes nothing more", async () => {
    const { closed, received, send } = await open(script("process.stdout.write('{\"last\":1}\\n', () => process.exit(3))"));
    expect(await closed).toMatchObject({ code: "upstream_unavailable", message: expect.stringContaining("exited with code 3") as unknown });
    expect(await received(1)).toEqual(['{"last":1}']);
    await expect(send("{}")).rejects.toMatchObject({ code: "upstream_unavailable" });
  });

  it("that sends a line without end is ended, and everybody learns why", async () => {
    const { closed, wire } = await open(
      script('const x = "x".repeat(65536); const go = () => process.stdout.write(x, go); go(); process.on("SIGTERM", () => {})'),
      { maxMessageBytes: 1_000_000 },
    );
    expect(await closed).toMatchObject({
      code: "upstream_protocol",
      message: expect.stringContaining("larger than 1000000 bytes") as unknown,
    });
    expect(await isGone(wire.pid)).toBe(true);
  });

  it("that floods its error output costs a bounded memory, and its end is kept", async () => {
    const { wire, received } = await open(
      script(
        'for (let i = 0; i < 2000; i++) process.stderr.write("line " + i + " " + "x".repeat(100) + "\\n"); process.stderr.write("the end", () => console.log("{}")); setInterval(() => {}, 1e6)',
      ),
      { stderrBytes: 1000 },
    );
    await received(1);
    await expect.poll(() => wire.stderr()).toMatch(/the end$/);
    expect(wire.stderr().length).toBe(1000);
  });

  it("that ends when its input ends is not killed", async () => {
    const { wire, received } = await open(
      script('process.on("SIGTERM", () => process.exit(9)); process.stdin.on("end", () => process.exit(0)).resume(); console.log("{}")'),
      { graceMs: 10_000 },
    );
    await received(1);
    await wire.close();
    expect(isAlive(wire.pid)).toBe(false);
  });

  it("that ignores SIGTERM, and what it started, are gone when close resolves", async () => {
    const { wire, received } = await open(
      script(`
        process.on("SIGTERM", () => {});
        const child = require("node:child_process").spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1e6)"], { stdio: ["ignore", "pipe", "ignore"] });
        child.stdout.once("data", () => console.log(JSON.stringify(child.pid)));
        setInterval(() => {}, 1e6);
      `),
    );
    const grandchild = Number((await received(1))[0]);
    expect(isAlive(grandchild)).toBe(true);
    await wire.close();
    expect(isAlive(wire.pid)).toBe(false);
    expect(await isGone(grandchild)).toBe(true);
  });

  it("that crashes leaves nothing of its group behind", async () => {
    const { closed, received } = await open(
      script(`
        const child = require("node:child_process").spawn(process.execPath, ["-e", "console.log('up'); setInterval(() => {}, 1e6)"], { stdio: ["ignore", "pipe", "ignore"] });
        child.stdout.once("data", () => process.stdout.write(JSON.stringify(child.pid) + "\\n", () => process.kill(process.pid, "SIGKILL")));
      `),
    );
    const grandchild = Number((await received(1))[0]);
    expect(await closed).toMatchObject({ message: expect.stringContaining("SIGKILL") as unknown });
    expect(await isGone(grandchild)).toBe(true);
  });

  it.each([
    ["exits without closing it", "process.exit(0)"],
    ["is killed, so that it can do nothing itself", "process.kill(process.pid, 'SIGKILL')"],
  ])("does not outlive a gateway that %s, nor does what it started, though both ignore SIGTERM (T48)", async (_how, end) => {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-"));
    const entry = join(folder, "parent.mjs");
    const inner = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6)";
    const stubborn = `const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(inner)}], { stdio: "ignore" }); process.stdin.resume(); console.log(child.pid); ${inner}`;
    const source = `
      import { stdioSpawner } from ${JSON.stringify(new URL("./stdio-spawner.ts", import.meta.url).pathname)};
      const server = { command: process.execPath, args: ["-e", ${JSON.stringify(stubborn)}], env: {} };
      const wires = await Promise.all([1, 2].map(() => stdioSpawner().open(server, { deadlineMs: Date.now() + 30000 })));
      const pids = await Promise.all(wires.map((wire) => new Promise((resolve) => wire.onFrame((frame) => resolve([wire.pid, Number(new TextDecoder().decode(frame))])))));
      process.stdout.write(pids.flat().join(" "), () => ${end});
    `;
    await build({ stdin: { contents: source, resolveDir: folder }, bundle: true, platform: "node", format: "esm", outfile: entry });
    const told = await promisify(execFile)(process.execPath, [entry]).catch((error: { stdout: string }) => error);
    const pids = told.stdout.split(" ").map(Number);
    onTestFinished(() => pids.filter(isAlive).forEach((pid) => process.kill(pid, "SIGKILL")));
    expect(pids).toHaveLength(4);
    expect(await Promise.all(pids.map(isGone))).toEqual([true, true, true, true]);
    await rm(folder, { recursive: true });
  });

  it("leaves nothing behind however often it is connected anew (T48)", async () => {
    const pids: number[] = [];
    for (let i = 0; i < 20; i++) {
      const { wire, received } = await open(script("console.log('{}'); process.stdin.resume()"));
      await received(1);
      pids.push(wire.pid);
      await wire.close();
    }
    expect(pids.filter(isAlive)).toEqual([]);
  });
});
