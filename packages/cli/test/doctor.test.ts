import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { allEntities, configEntry } from "@sallyport/core/entities";
import { update } from "@sallyport/core/ports";
import { describe, expect, it } from "vitest";
import { emptyFolder, run, started, stop } from "./command.js";

const require = createRequire(import.meta.url);
const everything = join(require.resolve("@modelcontextprotocol/server-everything/package.json"), "../dist/index.js");

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { area: string; status: string; what: string; fix?: string }[];
  readonly config: readonly { path: string; value: unknown; from: string }[];
}
async function report(
  cwd: string,
  env: Record<string, string> = {},
): Promise<Report & { code: number | null; find(area: string): string | undefined }> {
  const { code, out, err } = await run(["doctor", "--json"], { cwd, env: { PORT: "0", ...env } }).finished;
  expect(err).toBe("");
  const parsed = JSON.parse(out) as Report;
  return {
    ...parsed,
    code,
    find: (area) => {
      const found = parsed.findings.find((finding) => finding.area === area);
      return found === undefined ? undefined : `${found.status}: ${found.what}`;
    },
  };
}

describe("sallyport doctor", () => {
  it("is well in an empty folder, and leaves it empty", async () => {
    const cwd = emptyFolder();
    const found = await report(cwd);
    expect(found.code).toBe(0);
    expect(found.ok).toBe(true);
    expect(found.findings.filter(({ status }) => status === "fail")).toEqual([]);
    expect(found.find("database")).toBe("ok: sqlite .sallyport/sallyport.db will be made by the first start");
    expect(found.find("streaming")).toMatch(/^ok: \d+ events through a private server, complete and in order$/);
    expect(found.find("mcp demo")).toBe("ok: the server that ships with Sallyport (mcpServers is left out)");
    expect(found.config.find(({ path }) => path === "server.port")).toMatchObject({ value: 0, from: "the environment variable PORT" });
    expect(existsSync(join(cwd, ".sallyport"))).toBe(false);
  });

  it("looks at the database of a gateway that ran, and at one that runs", async () => {
    const cwd = emptyFolder();
    const gateway = await started({ cwd });
    const port = new URL(gateway.url).port;
    const found = await report(cwd, { PORT: port });
    expect(found.find("port")).toMatch(/is used by a Sallyport \S+ that is running \(ok\)$/);
    expect(found.find("database")).toMatch(/^ok: sqlite .sallyport\/sallyport.db, \d+ migrations applied, none missing$/);
    expect(found.find("owner key")).toMatch(/^ok: stored as a hash/);
    await stop(gateway);
  });

  it("shows settings that are stored, with the value that holds, and what does not count", async () => {
    const cwd = emptyFolder();
    const config = (...args: string[]) => run(["config", ...args], { cwd }).finished;
    expect((await config("set", "sessions.ttl_hours", "12")).code).toBe(0);
    expect((await config("set", "logging.level", "debug")).code).toBe(0);
    // As only somebody with the database in hands can.
    const store = await sqlite(join(cwd, ".sallyport/sallyport.db")).open({ entities: allEntities });
    const spoilt = update(configEntry, "logging-level", { change: { set: { value: "nonsense" } } });
    const [changed] = await store.commit([{ scope: { system: "test" }, writes: [spoilt] }], { deadlineMs: Date.now() + 10_000 });
    expect(changed?.ok).toBe(true);
    await store.close();
    const found = await report(cwd);
    expect(found.code).toBe(0);
    const settings = found.findings.filter(({ area }) => area === "settings").map(({ status, what }) => `${status}: ${what}`);
    expect(settings).toEqual([
      "ok: stored: sessions.ttl_hours",
      expect.stringMatching(/^warn: logging\.level: what is stored does not count\. /),
    ]);
    expect(found.config.find(({ path }) => path === "sessions.ttlSeconds")).toMatchObject({
      value: 43_200,
      from: expect.stringContaining("sessions.ttl_hours") as string,
    });
    expect(found.config.find(({ path }) => path === "logging.level")?.from).toBe("default");
  });

  it("probes each MCP server: one that works, one that is not installed", async () => {
    const cwd = emptyFolder();
    const mcpServers = { everything: { command: process.execPath, args: [everything] }, missing: { command: "no-such-program-anywhere" } };
    writeFileSync(join(cwd, "sallyport.config.json"), JSON.stringify({ mcpServers }));
    const found = await report(cwd);
    expect(found.code).toBe(1);
    expect(found.find("mcp everything")).toMatch(/^ok: stdio, revision [\d-]+, \d+ tools, \d+ ms$/);
    expect(found.find("mcp missing")).toMatch(/^fail: .*no-such-program-anywhere/);
  });

  it("waits 10 s for MCP servers that never answer, all at once, and says which and what to do", async () => {
    const cwd = emptyFolder();
    const deaf = { command: process.execPath, args: ["-e", "setInterval(() => {}, 1000)", "secret-argument"] };
    writeFileSync(join(cwd, "sallyport.config.json"), JSON.stringify({ mcpServers: { deaf, dumb: deaf } }));
    const found = await report(cwd);
    expect(found.code).toBe(1);
    const silent = `fail: "${process.execPath}" was started but did not answer as an MCP server within 10 s`;
    expect([found.find("mcp deaf"), found.find("mcp dumb")]).toEqual([silent, silent]);
    const fixes = found.findings.filter(({ area }) => area === "mcp deaf").map(({ fix }) => fix);
    expect(fixes[0]).toMatch(/^Run its command by hand: .*mcpServers\.deaf/);
    expect(JSON.stringify(found.findings)).not.toContain("secret-argument");
  });

  it("names every problem, each with its fix, and tells no secret", async () => {
    const cwd = emptyFolder();
    const canary = "sk-canary-0123456789abcdef";
    writeFileSync(join(cwd, "sallyport.config.json"), JSON.stringify({ prot: 1, providers: { openai: { apiKeys: canary } } }));
    const { code, out } = await run(["doctor"], { cwd, env: { PORT: "x", ANTHROPIC_API_KEY: canary, SALLYPORT_SECRET: canary } }).finished;
    expect(code).toBe(1);
    expect(out).not.toContain(canary);
    for (const path of ["server.port", "prot", "providers.openai.apiKeys"]) expect(out).toMatch(new RegExp(`FAIL  config .* ${path} `));
    expect(out).toContain("→ did you mean server.port? Move it there");
    expect(out).toMatch(/\d to mend, \d to look at\.\n$/);
  });

  it("shows keys masked, with where they come from, and permissions that are too wide", async () => {
    const cwd = emptyFolder();
    await stop(await started({ cwd }));
    chmodSync(join(cwd, ".sallyport"), 0o755);
    const { code, out } = await run(["doctor"], { cwd, env: { PORT: "0", OPENAI_API_KEY: "sk-0123456789abcdef-wxyz" } }).finished;
    expect(code).toBe(0);
    expect(out).toMatch(/ok {4}provider openai +openai, key \*\*\*wxyz from the environment variable OPENAI_API_KEY/);
    expect(out).toMatch(/warn {2}data +\.sallyport can be read by other users \(mode 0755\)\n +→ chmod 700 \.sallyport/);
    expect(out).toMatch(/^ {2}providers\.openai\.apiKey +\*\*\*wxyz +the environment variable OPENAI_API_KEY$/m);
    expect(out).toMatch(/^ {2}server\.host +127\.0\.0\.1 +default$/m);
  });
});
