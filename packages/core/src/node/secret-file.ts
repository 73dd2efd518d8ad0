import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { GatewayError } from "../errors/index.js";

/**
 * The gateway's secret from a file, in base64: `new Gateway({ secret: secretFile(".sallyport/secret") })`. Made once, when the file is not there: 32 random bytes, readable by the owner alone
 * (mode 0600, a new folder 0700). Keep the file: without it stored keys and sealed values are of no use.
 * Concurrency: of several processes that make it at once one wins, and all get the same.
 * Errors: `misconfigured` when it cannot be read or made.
 */
export function secretFile(path: string): string {
  return readSecretFile(path) ?? makeSecretFile(path);
}

/** null: there is no such file. Errors: `misconfigured` when it cannot be read. */
export function readSecretFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new GatewayError("misconfigured", `The secret in ${path} cannot be read (${codeOf(error)}).`, {
      hint: "Make the file readable for the user that runs the gateway (mode 0600).",
      cause: error,
    });
  }
}

function makeSecretFile(path: string): string {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return writeWhole(path, randomBytes(32).toString("base64"));
  } catch (error) {
    // Another process was faster: its secret is the one.
    const made = codeOf(error) === "EEXIST" ? readSecretFile(path) : null;
    if (made !== null) return made;
    throw new GatewayError("misconfigured", `The secret cannot be written to ${path} (${codeOf(error)}).`, {
      hint: "Name a file in a folder that may be written to, or give the secret itself (SALLYPORT_SECRET).",
      cause: error,
    });
  }
}

/** The file appears with all of its content or not at all, and only if it is not there: nobody reads half of it. */
function writeWhole(path: string, text: string): string {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${text}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
    return text;
  } finally {
    rmSync(draft, { force: true });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown";
}
