import { isAbsolute, resolve } from "node:path";
import type { LoadedConfig } from "@sallyport/core";
import { shortPath, type Place } from "./place.js";

/** Where the rows are kept, before anything is opened. */
export interface StorageChoice {
  readonly url: string;
  /** Of an SQLite file, absolute; null for what is no file. */
  readonly path: string | null;
  /** For people, without credentials. */
  readonly name: string;
}

/** What `storage.url` means, relative to where the command runs; left out, the data folder's own file. */
export function chooseStorage(place: Place, { config }: LoadedConfig): StorageChoice {
  const url = config.storage?.url;
  if (url === undefined) return fileAt(place.databasePath, place);
  if (url === "memory:") return { url, path: null, name: "memory (lost when it stops)" };
  const scheme = url.slice(0, url.indexOf(":"));
  if (scheme !== "sqlite") return { url, path: null, name: scheme };
  // `sqlite:x.db`, `sqlite:/abs/x.db` and `sqlite:///abs/x.db` are all in use.
  const path = url.slice("sqlite:".length).replace(/^\/\/(?=\/)/, "");
  return fileAt(isAbsolute(path) ? path : resolve(place.cwd, path), place);
}

function fileAt(path: string, { cwd }: Place): StorageChoice {
  return { url: `sqlite:${path}`, path, name: `sqlite ${shortPath(path, cwd)}` };
}
