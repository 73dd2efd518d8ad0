import { GatewayError } from "../errors/index.js";
import type { Clock, SecretSource } from "../ports/index.js";
import type { Environment } from "../config/substitute.js";

/** The text of a file; null: there is no such file. */
export type ReadFile = (path: string) => Promise<string | null>;

/** A file may be replaced while the gateway runs, as those of mounted secrets are. */
const FILE_EVERY_MS = 60_000;

/** `env:NAME`: a variable of the environment that the gateway was given. Read at the start. */
export function environmentSource(env: Environment): SecretSource {
  return {
    scheme: "env",
    async resolve(name) {
      const value = env[name];
      if (value === undefined || value === "") throw missing(`env:${name}`, `set the variable ${name}`);
      return { value, refreshAtMs: null };
    },
  };
}

/** `file:/path`: the text of a file, without the line break at its end. Read again each minute. */
export function fileSource(clock: Clock, readFile: ReadFile): SecretSource {
  return {
    scheme: "file",
    async resolve(path) {
      const text = await readFile(path).catch((error: unknown) => {
        throw missing(`file:${path}`, "make it readable for this process", error);
      });
      const value = text?.replace(/\r?\n$/, "") ?? "";
      if (value === "") throw missing(`file:${path}`, text === null ? "there is no such file" : "the file is empty");
      return { value, refreshAtMs: clock.now() + FILE_EVERY_MS };
    },
  };
}

export function missing(reference: string, fix: string, cause?: unknown): GatewayError {
  return new GatewayError("misconfigured", `The secret ${reference} could not be read.`, { hint: `Fix: ${fix}.`, cause });
}
