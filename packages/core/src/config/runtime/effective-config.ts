import { configEntry, type ConfigEntryRow } from "../../entities/index.js";
import { valueAt } from "../config-path.js";
import type { LoadedConfig } from "../load-config.js";
import type { Records } from "../records.js";
import type { Config } from "../schema.js";
import { resolveSettings, unsettled, withSettings, type Resolved } from "./resolve-settings.js";
import { settingKeys, type SettingKey } from "./setting-keys.js";

/** A stored setting that does not count because it is not valid. */
export interface RefusedSetting {
  readonly key: string;
  readonly version: number;
  /** What is wrong, and what mends it; a text that was stored is never repeated. */
  readonly problem: string;
}

/**
 * The configuration that holds: what the gateway was given, with the settings of its store. Made anew only when a row of a setting changed; what did not change stays the same object. A row that is not
 * valid is told once a version, and the last value that was good stays.
 */
export class EffectiveConfig {
  readonly #base: LoadedConfig;
  readonly #onRefused: (refused: RefusedSetting) => void;
  #resolved: Resolved;
  #config: Config;
  #found: readonly ConfigEntryRow[] | null = null;
  #rows: readonly ConfigEntryRow[] = [];
  /** By key: the version that was told. */
  #told: ReadonlyMap<string, number> = new Map();

  constructor(base: LoadedConfig, onRefused: (refused: RefusedSetting) => void) {
    this.#base = base;
    this.#onRefused = onRefused;
    this.#resolved = unsettled(base);
    this.#config = base.config;
  }

  /** Without anything stored. */
  get base(): LoadedConfig {
    return this.#base;
  }
  /** As it was when the store was last read. */
  get resolved(): Resolved {
    return this.#resolved;
  }
  get rows(): readonly ConfigEntryRow[] {
    return this.#rows;
  }

  /** The configuration with the records' settings; the same object as before when nothing of it changed. Never throws. */
  readonly of = (records: Records): Config => {
    const found = records.of(configEntry);
    if (found === this.#found) return this.#config;
    this.#found = found;
    // A key that somebody spoilt names nothing.
    const rows = found.filter(({ key }) => typeof (key as unknown) === "string");
    this.#resolved = resolveSettings(this.#base, rows, this.#resolved.good);
    this.#rows = rows;
    this.#config = withSettings(this.#config, this.#resolved.loaded.config);
    this.#tell();
    return this.#config;
  };

  #tell(): void {
    const told = new Map<string, number>();
    for (const { key, version } of this.#rows) {
      const standing = this.#resolved.standings.get(key);
      if (standing?.state !== "refused") continue;
      told.set(key, version);
      if (this.#told.get(key) !== version) this.#onRefused({ key, version, problem: standing.problem ?? "" });
    }
    this.#told = told;
  }
}

/** The keys whose values differ between two configurations. */
export function changedSettings(now: Config, before: Config): readonly string[] {
  if (now === before) return [];
  const isChanged = ({ path, times }: SettingKey): boolean =>
    times === 1 && JSON.stringify(valueAt(now, path)) !== JSON.stringify(valueAt(before, path));
  return settingKeys.filter(isChanged).map(({ key }) => key);
}
