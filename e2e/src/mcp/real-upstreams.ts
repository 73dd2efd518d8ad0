import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll } from "vitest";
import { freePort } from "@sallyport/adapter-kit";

const { resolve } = createRequire(import.meta.url);
const folderOf = (name: string) => join(resolve(`@modelcontextprotocol/server-${name}/package.json`), "..", "dist");
const node = process.execPath;

/** A folder of the test's own, with a note in it. */
export const folder = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-files-")));
writeFileSync(join(folder, "note.txt"), "kept in a file");

export const overStdio = {
  everything: { command: node, args: [join(folderOf("everything"), "index.js"), "stdio"] },
  files: { command: node, args: [join(folderOf("filesystem"), "index.js"), folder] },
  memory: { command: node, args: [join(folderOf("memory"), "index.js")], env: { MEMORY_FILE_PATH: join(folder, "memory.jsonl") } },
};

/** server-everything as a process that listens; gone after the suite. Its port may be taken between our look and its start: then it is given another. */
export async function listening(transport: "streamableHttp" | "sse"): Promise<string> {
  for (let left = 3; ; left--) {
    const port = await freePort();
    const child = spawn(node, [join(folderOf("everything"), "index.js"), transport], {
      env: { ...process.env, PORT: String(port) },
      stdio: ["ignore", "ignore", "pipe"],
    });
    afterAll(() => void child.kill("SIGKILL"));
    try {
      await said(child, /(listening|running) on port/);
      return `http://127.0.0.1:${port}/${transport === "sse" ? "sse" : "mcp"}`;
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

function said(child: ChildProcess, what: RegExp): Promise<void> {
  return new Promise((yes, no) => {
    let text = "";
    child.stderr?.on("data", (chunk: Buffer) => what.test((text += String(chunk))) && yes());
    child.once("exit", (code) => no(new Error(`it ended with ${String(code)}: ${text}`)));
  });
}

/** server-everything in this process: an object of the v1 SDK. */
export async function inProcess(): Promise<object> {
  const { createServer } = (await import(pathToFileURL(join(folderOf("everything"), "server", "index.js")).href)) as {
    createServer: () => { server: object; cleanup: () => void };
  };
  const { server, cleanup } = createServer();
  afterAll(() => cleanup());
  return server;
}
