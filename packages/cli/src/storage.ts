import { isAbsolute, resolve } from "node:path";
import { mysql } from "@sallyport/adapters-mysql";
import { sqlite } from "@sallyport/adapters-sqlite";
import type { LoadedConfig } from "@sallyport/core";
import { shortPath, type Place } from "./place.js";

/** What has tables that migrations make. */
type Migratable = ReturnType<typeof mysql>;

/** Where the rows are kept, before anything is opened. */
export interface StorageChoice {
  readonly url: string;
  /** Of an SQLite file, absolute; null for what is no file. */
  readonly path: string | null;
  /** For people, without credentials. */
  readonly name: string;
  /** null: memory, which has no tables. Connects to nothing yet. Errors: `misconfigured` for an address that is none. */
  adapter(): Migratable | null;
}

/** What `storage` means, relative to where the command runs; left out, the data folder's own file. */
export function chooseStorage(place: Place, { config }: LoadedConfig): StorageChoice {
  const storage = config.storage;
  if (storage === undefined) return fileAt(place.databasePath, place);
  const { url, migrate = "auto", tablePrefix } = storage;
  if (url === "memory:") return { url, path: null, name: "memory (lost when it stops)", adapter: () => null };
  const scheme = url.slice(0, url.indexOf(":"));
  const prefixed = tablePrefix === undefined ? {} : { tablePrefix };
  if (scheme !== "sqlite")
    return { url, path: null, name: `${scheme} ${databaseOf(url)}`, adapter: () => mysql(url, { migrate, ...prefixed }) };
  // `sqlite:x.db`, `sqlite:/abs/x.db` and `sqlite:///abs/x.db` are all in use.
  const path = url.slice("sqlite:".length).replace(/^\/\/(?=\/)/, "");
  return fileAt(isAbsolute(path) ? path : resolve(place.cwd, path), place, migrate);
}

type Migrate = NonNullable<NonNullable<LoadedConfig["config"]["storage"]>["migrate"]>;

function fileAt(path: string, { cwd }: Place, migrate: Migrate = "auto"): StorageChoice {
  return { url: `sqlite:${path}`, path, name: `sqlite ${shortPath(path, cwd)}`, adapter: () => sqlite(path, { migrate }) };
}

/** Host and database: what stands before and after them may be a credential. */
function databaseOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return "at an address that is none";
  }
}
