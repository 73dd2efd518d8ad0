import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { afterAll, describe, expect, it } from "vitest";
import { main } from "./main.js";
import type { Terminal } from "./terminal.js";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-main-"));
  folders.push(folder);
  return folder;
}

describe("what goes wrong says what, why and one fix, in words, with an exit code", () => {
  const refused = async (o: { args?: string[]; env?: Record<string, string>; file?: string; cwd?: string }) => {
    const cwd = o.cwd ?? emptyFolder();
    const lines: string[] = [];
    const terminal: Terminal = {
      out: (line = "") => void lines.push(`out: ${line}`),
      err: (line = "") => void lines.push(line),
      paint: pc.createColors(false),
    };
    if (o.file !== undefined) writeFileSync(join(cwd, "sallyport.config.json"), o.file);
    const code = await main(o.args ?? ["start"], { cwd, env: { PORT: "0", ...o.env }, terminal });
    return { code, lines };
  };

  it("a port that is in use", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { code, lines } = await refused({ env: { PORT: String(port) } });
    await new Promise((resolve) => other.close(resolve));
    expect({ code, lines }).toEqual({
      code: 1,
      lines: [
        `✖ Another program listens on port ${port} of 127.0.0.1.`,
        "  → Stop it, or choose another port with PORT or server.port; 0 takes any that is free.",
        "  port_in_use",
      ],
    });
  });

  it.each([
    [
      "a configuration that is not valid",
      { file: '{"providers": {"openai": {"base_url": "x"}}}' },
      [
        "✖ The configuration is not valid. providers.openai.base_url (sallyport.config.json): is not a known key.",
        '  → Did you mean "baseUrl" (keys are camelCase)? Rename it.',
        "  invalid_config",
      ],
    ],
    [
      "a file that is no JSON",
      { file: "{\n  // my settings\n}" },
      [
        "✖ sallyport.config.json is not valid JSON: line 2, column 3: a comment, which JSON does not have.",
        "  → Remove it.",
        "  invalid_config",
      ],
    ],
    [
      "a file that is not there",
      { env: { SALLYPORT_CONFIG: "other.json" } },
      [
        "✖ The configuration file other.json does not exist.",
        "  → Correct the path in SALLYPORT_CONFIG or --config, or leave it out: no file is needed.",
        "  invalid_config",
      ],
    ],
    [
      "a database of another kind",
      { env: { DATABASE_URL: "postgres://root:hunter2@db/x" } },
      [
        "✖ The configuration is not valid. storage.url (the environment variable DATABASE_URL): found text that is not sqlite:<file>, memory: or mysql://user:password@host/database.",
        "  → Write sqlite:<file>, memory: or mysql://user:password@host/database.",
        "  invalid_config",
      ],
    ],
    [
      "a database that is not there",
      { env: { DATABASE_URL: "mysql://root:hunter2@127.0.0.1:1/x" } },
      [
        "✖ The database could not be reached: Nothing listens there (ECONNREFUSED).",
        "  → Look whether the database runs and can be reached from here.",
        "  store_unavailable",
      ],
    ],
    [
      "an owner key that is short",
      { env: { SALLYPORT_OWNER_KEY: "short" } },
      [
        "✖ The owner key (SALLYPORT_OWNER_KEY, or ownerKey in code) is refused: it has 5 characters, at least 32 are needed.",
        "  → Make one with `openssl rand -base64 32`, or leave it out: one is made and shown once.",
        "  invalid_config",
      ],
    ],
    [
      "a secret that is no base64 of 32 bytes",
      { env: { SALLYPORT_SECRET: "hunter2" } },
      [
        "✖ The gateway's secret (SALLYPORT_SECRET, or secret in code) is refused: it has 5 bytes, exactly 32 are needed.",
        "  → Make one with `openssl rand -base64 32`, or leave it out: one is made and kept.",
        "  invalid_config",
      ],
    ],
    [
      "an address that is not this machine's",
      { env: { HOST: "192.0.2.1" } },
      [
        "✖ 192.0.2.1 is not an address of this machine.",
        "  → Set server.host (HOST) and server.port (PORT); 127.0.0.1 is always there.",
        "  misconfigured",
      ],
    ],
    [
      "a port that is none",
      { args: ["start", "--port", "http"] },
      ["✖ --port is not a port.", "  → Give a whole number from 0 to 65535; 0 takes any free port.", "  bad_request"],
    ],
    [
      "a command that is none",
      { args: ["strat"] },
      [
        '✖ There is no command "strat".',
        "  → Commands are start, doctor, keys, users, secrets, config, mcp, export, import, migrate; see sallyport --help.",
        "  bad_request",
      ],
    ],
  ])("%s", async (_title, o, lines) => {
    expect(await refused(o)).toEqual({ code: 1, lines });
  });

  it("a database file that is no database", async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "broken.db"), "this is not a database file, whatever its name says".repeat(20));
    const { code, lines } = await refused({ cwd, env: { DATABASE_URL: "sqlite:broken.db" } });
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe("  state_corrupt");
  });

  it("an option that is none", async () => {
    expect(await refused({ args: ["start", "--prot", "1"] })).toEqual({
      code: 2,
      lines: ["✖ Unknown option `--prot`", "  → sallyport --help"],
    });
  });
});
