import { existsSync } from "node:fs";
import { storedSettings, type LoadedConfig, type Setting } from "@sallyport/core";
import type { Place } from "../place.js";
import { chooseStorage } from "../storage.js";
import { failed, ok, warn, type Finding } from "./finding.js";

/** The settings that the database has, and the configuration with them. A database that is not there, or lacks tables, has none: that is another finding. */
export async function checkStored(
  place: Place,
  loaded: LoadedConfig,
): Promise<{ readonly findings: Finding[]; readonly loaded: LoadedConfig }> {
  const { path, adapter } = chooseStorage(place, loaded);
  try {
    const storage = path !== null && !existsSync(path) ? null : adapter();
    if (storage === null || (await storage.migrationState()).pending.length > 0) return { findings: [], loaded };
    const stored = await storedSettings(loaded, storage);
    return { findings: findingsOf(stored.settings), loaded: stored.loaded };
  } catch (error) {
    return { findings: [failed("settings", error)], loaded };
  }
}

function findingsOf(settings: readonly Setting[]): Finding[] {
  const of = (state: "applied" | "overridden" | "refused"): readonly Setting[] => settings.filter(({ stored }) => stored?.state === state);
  const refused = of("refused").map(({ key, stored }) =>
    warn(
      "settings",
      `${key}: what is stored does not count. ${stored?.problem ?? ""}`.trim(),
      `sallyport config set ${key} <value>, or config reset ${key}`,
    ),
  );
  const idle = of("overridden").map(({ key, stored }) =>
    ok("settings", `${key} is stored and does not count. ${stored?.problem ?? ""}`.trim()),
  );
  const applied = of("applied").map(({ key }) => key);
  return applied.length === 0 ? [...idle, ...refused] : [ok("settings", `stored: ${applied.join(", ")}`), ...idle, ...refused];
}
