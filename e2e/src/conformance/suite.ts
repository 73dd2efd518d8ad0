import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { resolve } = createRequire(new URL("../../peers/package.json", import.meta.url));
const expected = fileURLToPath(new URL("expected/", import.meta.url));

export type Revision = "2025-11-25" | "2026-07-28";

export interface Leg {
  readonly role: "server" | "client";
  readonly revision: Revision;
  /** The server's address, or the command of the client, to which the suite appends an address. */
  readonly subject: string;
  /** One scenario alone; left out: all that the revision requires. */
  readonly scenario?: string | undefined;
  /** A file beside this one: what may fail, and why. What it names and passes is a failure too. */
  readonly expected: string;
}

export interface Verdict {
  /** 0 if nothing failed but what is expected to, and all of that did. */
  readonly exitCode: number;
  /** Checks that were made and went well, of all scenarios. */
  readonly passed: number;
  /** `scenario: check: message` of everything that failed, expected or not, scored or not. */
  readonly failed: readonly string[];
  readonly scenarios: readonly string[];
  /** What the suite printed. */
  readonly output: string;
}

/** A program of `e2e/peers`, and the Node that runs it. Errors: outside of `npm run conformance`, which brings both. */
export function peer(path: string): { readonly node: string; readonly program: string } {
  const node = process.env["SALLYPORT_SUITE_NODE"];
  if (node === undefined) throw new Error("Start this with `npm run conformance`, which brings the suite and the Node that it needs.");
  return { node, program: resolve(path) };
}

/** Runs all that a revision requires of a server or a client, or one scenario, by the official suite in a process of its own. */
export async function runSuite(leg: Leg): Promise<Verdict> {
  const results = mkdtempSync(join(tmpdir(), "sallyport-conformance-"));
  const { node, program } = peer("@modelcontextprotocol/conformance/dist/index.js");
  const child = spawn(
    node,
    [
      program,
      leg.role,
      ...(leg.role === "server" ? ["--url", leg.subject] : ["--command", leg.subject]),
      // All clients are started at once: on a busy machine each takes as long as all.
      ...["--timeout", "240000", "--output-dir", results],
      ...(leg.scenario === undefined
        ? ["--requirements", leg.revision]
        : ["--scenario", leg.scenario, "--spec-version", leg.revision, "--force"]),
      ...["--expected-failures", join(expected, leg.expected)],
    ],
    { cwd: results, stdio: ["ignore", "pipe", "pipe"] },
  );
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk));
  const [code] = (await once(child, "close")) as [number | null];
  const scenarios = readResults(results);
  rmSync(results, { recursive: true });
  return { exitCode: code ?? 1, ...scenarios, output: Buffer.concat(said).toString() };
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

function readResults(folder: string) {
  const scenarios = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(entry.parentPath, entry.name, "checks.json")))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = path
        .slice(folder.length + 1)
        .replace(/^(server|client)-/, "")
        .replace(/-\d{4}-\d{2}-\d{2}T.*$/, "");
      return { name, checks: JSON.parse(readFileSync(join(path, "checks.json"), "utf8")) as Check[] };
    });
  return {
    scenarios: scenarios.map(({ name }) => name).sort(),
    passed: scenarios.reduce((sum, { checks }) => sum + checks.filter(({ status }) => status === "SUCCESS").length, 0),
    failed: scenarios
      .flatMap(({ name, checks }) =>
        checks.filter(({ status }) => status === "FAILURE").map((check) => `${name}: ${check.id}: ${check.errorMessage ?? ""}`),
      )
      .sort(),
  };
}
