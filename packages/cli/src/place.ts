import { readFileSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import { GatewayError, loadConfig, type ConfigFile, type ConfigInput, type LoadedConfig } from "@sallyport/core";

/** What a person gave on the command line; it wins over the environment. */
export interface Flags {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}
export interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly flags: Flags;
}
/** Where a gateway lives: its configuration and its folder. Absolute paths. */
export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly configPath: string;
  /** null: there is no file at `configPath`, and none is needed. */
  readonly file: ConfigFile | null;
  readonly dataDir: string;
  readonly secretPath: string;
  readonly databasePath: string;
}

export const CONFIG_NAME = "sallyport.config.json";

/** Reads the configuration file, if there is one. Errors: `invalid_config` when a file that was asked for is not there, or cannot be read. */
export function findPlace({ cwd, env, flags }: Surroundings): Place {
  const asked = flags.config ?? (env["SALLYPORT_CONFIG"] || undefined);
  const configPath = resolve(cwd, asked ?? CONFIG_NAME);
  const dataDir = resolve(cwd, flags.data ?? (env["SALLYPORT_DATA"] || ".sallyport"));
  return {
    cwd,
    env,
    configPath,
    file: readConfigFile(configPath, { cwd, required: asked !== undefined }),
    dataDir,
    secretPath: resolve(dataDir, "secret"),
    databasePath: resolve(dataDir, "sallyport.db"),
  };
}

/** The file, the environment, and the flags in the place of code. Errors: `invalid_config`. */
export function loadPlace(place: Place, flags: Flags): LoadedConfig {
  const server = { ...(flags.host === undefined ? {} : { host: flags.host }), ...(flags.port === undefined ? {} : { port: flags.port }) };
  const code: ConfigInput = Object.keys(server).length === 0 ? {} : { server };
  return loadConfig({ file: place.file ?? undefined, env: place.env, code });
}

/** As a person would write it: relative to where they are when it lies below. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === "" || short.startsWith("..") || isAbsolute(short) ? path : short;
}

function readConfigFile(path: string, o: { readonly cwd: string; readonly required: boolean }): ConfigFile | null {
  const name = shortPath(path, o.cwd);
  try {
    return { path: name, text: readFileSync(path, "utf8") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !o.required) return null;
    const why = code === "ENOENT" ? "does not exist" : code === "EISDIR" ? "is a folder" : `cannot be read (${code ?? "unknown"})`;
    throw new GatewayError("invalid_config", `The configuration file ${name} ${why}.`, {
      hint: "Correct the path in SALLYPORT_CONFIG or --config, or leave it out: no file is needed.",
      cause: error,
    });
  }
}
