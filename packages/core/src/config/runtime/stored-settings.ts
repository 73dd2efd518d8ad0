import { allEntities, configEntry } from "../../entities/index.js";
import type { StorageAdapter } from "../../ports/index.js";
import type { LoadedConfig } from "../load-config.js";
import { readRows } from "../records.js";
import { describeAll } from "./describe-setting.js";
import { resolveSettings } from "./resolve-settings.js";
import type { Setting } from "./setting.js";

const WITHIN_MS = 10_000;

/**
 * What a gateway of this configuration makes of the settings that a database has, without starting one: for tools that look and change nothing. The database has to have its tables; it is opened and closed again.
 * `loaded`: the configuration with what is stored; `settings`: those that are. Errors: those of opening and of the store.
 */
export async function storedSettings(
  loaded: LoadedConfig,
  storage: StorageAdapter,
): Promise<{ readonly loaded: LoadedConfig; readonly settings: readonly Setting[] }> {
  const store = await storage.open({ entities: allEntities });
  try {
    const rows = await readRows(store, configEntry, { deadlineMs: Date.now() + WITHIN_MS });
    const resolved = resolveSettings(loaded, rows, new Map());
    return { loaded: resolved.loaded, settings: describeAll(resolved, rows).filter(({ stored }) => stored !== null) };
  } finally {
    await store.close();
  }
}
