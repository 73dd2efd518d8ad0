import { existsSync } from "node:fs";
import type { LoadedConfig } from "@sallyport/core";
import type { Place } from "../place.js";
import { chooseStorage } from "../storage.js";
import { failed, ok, warn, type Finding } from "./finding.js";

/** Whether the database opens, and whether its tables are those of this version. Makes no file. */
export async function checkDatabase(place: Place, loaded: LoadedConfig): Promise<Finding[]> {
  const { path, name, adapter } = chooseStorage(place, loaded);
  if (path !== null && !existsSync(path)) return [ok("database", `${name} will be made by the first start`)];
  try {
    const storage = adapter();
    if (storage === null) return [ok("database", name)];
    const { applied, pending } = await storage.migrationState();
    if (pending.length === 0) return [ok("database", `${name}, ${applied.length} migrations applied, none missing`)];
    return [
      warn("database", `${name} lacks migrations: ${pending.join(", ")}`, "The next start applies them; to do it now: sallyport migrate"),
    ];
  } catch (error) {
    return [failed("database", error)];
  }
}
