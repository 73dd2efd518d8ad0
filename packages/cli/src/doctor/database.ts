import { existsSync } from "node:fs";
import { sqlite } from "@sallyport/adapters-sqlite";
import type { LoadedConfig } from "@sallyport/core";
import type { Place } from "../place.js";
import { chooseStorage } from "../storage.js";
import { fail, failed, ok, warn, type Finding } from "./finding.js";

/** Whether the database opens, and whether its tables are those of this version. Makes no file. */
export async function checkDatabase(place: Place, loaded: LoadedConfig): Promise<Finding[]> {
  const { url, path, name } = chooseStorage(place, loaded);
  if (url === "memory:") return [ok("database", name)];
  if (path === null)
    return [
      fail(
        "database",
        `storage.url names a ${name} database, which this version has no adapter for`,
        "Use sqlite:<file>, or leave it out.",
      ),
    ];
  if (!existsSync(path)) return [ok("database", `${name} will be made by the first start`)];
  try {
    const { applied, pending } = await sqlite(path).migrationState();
    if (pending.length === 0) return [ok("database", `${name}, ${applied.length} migrations applied, none missing`)];
    return [
      warn("database", `${name} lacks migrations: ${pending.join(", ")}`, "The next start applies them; to do it now: sallyport migrate"),
    ];
  } catch (error) {
    return [failed("database", error)];
  }
}
