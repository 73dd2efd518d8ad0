import { spawn, execFile } from "node:child_process";
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OWNER_KEY } from "./served.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map((match) => ({ language: match[1]!, text: match[2]!, at: match.index }));
const folder = mkdtempSync(join(tmpdir(), "sallyport-readme-"));
let port = 0;
let started: { readonly output: () => string; stop(): Promise<number | null> };

/** Each `$ command` of the console blocks, with the output below it. */
const commands = blocks
  .filter((block) => block.language === "console")
  .flatMap((block) => block.text.split(/^\$ /m).slice(1))
  .map((text) => ({ command: text.split("\n")[0]!, output: text.split("\n").slice(1).join("\n").trim() }));

const here = (text: string) => text.replaceAll("4747", String(port));
/** `…` stands for anything. */
const pattern = (output: string) =>
  new RegExp(
    here(output)
      .split("…")
      .map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[\\s\\S]*"),
  );
const env = () => ({
  ...process.env,
  PORT: String(port),
  SALLYPORT_DATA: join(folder, "data"),
  SALLYPORT_OWNER_KEY: OWNER_KEY,
  OPENAI_API_KEY: "",
});

function shell(command: string): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile("bash", ["-c", here(command)], { cwd: folder, env: env() }, (error, stdout, stderr) =>
      error === null && stdout !== "" ? resolve(stdout) : reject(new Error(`${command}\n${stderr}`)),
    ),
  );
}

beforeAll(async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  port = (probe.address() as AddressInfo).port;
  await new Promise((resolve) => probe.close(resolve));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  // A block named in the sentence before it, (`sdk.mjs`), is that file.
  for (const block of blocks) {
    const name = /\(`([\w.-]+)`\):\s*$/.exec(readme.slice(0, block.at))?.[1];
    if (name !== undefined) writeFileSync(join(folder, name), here(block.text));
  }
  const child = spawn("npm", ["start"], { cwd: root, env: env(), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => ((output += data.toString()), output.includes("Ctrl-C") ? resolve() : undefined));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    child.on("exit", () => reject(new Error(output)));
  });
  started = { output: () => output, stop: () => (child.kill("SIGINT"), ended) };
  await ready;
}, 300_000);

afterAll(() => started?.stop());

it("the README has commands to try", () => {
  expect(commands.map(({ command }) => command.split(" ")[0])).toEqual([
    "export",
    "npm",
    "curl",
    "node",
    "node",
    "node",
    "node",
    "curl",
    "curl",
  ]);
});

it("`npm start` prints what the README shows", () => {
  expect(started.output()).toMatch(pattern(commands[1]!.output));
});

it.each(commands.filter(({ command }) => !/^(npm|export) /.test(command)))("$command", async ({ command, output }) => {
  // What was just started may still be under way.
  await expect.poll(() => shell(command), { timeout: 30_000 }).toMatch(pattern(output));
});

it.each(blocks.filter((block) => block.language === "ts").map((block, i) => [i + 1, block.text]))(
  "snippet %i runs as it stands",
  async (i, text) => {
    writeFileSync(join(folder, `snippet-${i}.mjs`), text as string);
    const output = await shell(`node snippet-${i}.mjs`);
    const promised = [...(text as string).matchAll(/^console\.log\(.*\); \/\/ (.+)$/gm)].map((match) => match[1]!);
    for (const line of promised) expect(output).toContain(line);
    expect(output).not.toBe("");
  },
);

it("the configuration is one that the doctor accepts", async () => {
  const config = blocks.find((block) => block.language === "json")!.text;
  writeFileSync(join(folder, "sallyport.config.json"), config.replace(/"mcpServers"[\s\S]*?\}\s*\}\s*\n/, '"mcpServers": {}\n'));
  const report = JSON.parse(await shell("npx sallyport doctor --json || true")) as { findings?: unknown };
  expect(JSON.stringify(report)).toContain("local");
  expect(JSON.stringify(report)).not.toContain("invalid_config");
});

it("Ctrl-C ends it well", async () => {
  expect(await started.stop()).toBe(0);
});
