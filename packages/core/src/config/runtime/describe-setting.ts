import type { Json } from "../../calls/index.js";
import type { ConfigEntryRow } from "../../entities/index.js";
import { Secret } from "../../util/secret.js";
import { formatPath, valueAt } from "../config-path.js";
import { shownValue } from "../effective.js";
import { sourceOf, type Layer } from "../layers.js";
import { loadConfig, type LoadedConfig } from "../load-config.js";
import { describeSource, type Source } from "../problems/problems.js";
import type { Config } from "../schema.js";
import type { Resolved } from "./resolve-settings.js";
import type { Setting, SettingLayer, SettingSource, StoredSettingView } from "./setting.js";
import { settingKeys, settingOf, startKeys, unknownSetting, type SettingKey } from "./setting-keys.js";

let usual: Config | undefined;
/** What holds where nobody says anything. */
function defaults(): Config {
  return (usual ??= loadConfig({}).config);
}

/** A setting as it is shown, in the unit of its key. */
export function describeSetting(setting: SettingKey, resolved: Resolved, row: ConfigEntryRow | undefined): Setting {
  const { key, path, type, expected, unit, description, fixed } = setting;
  const { loaded } = resolved;
  const source = sourceOf(loaded.merged, path);
  return {
    ...{ key, path: formatPath(path), type, expected, unit, description },
    default: shown(setting, loaded, valueAt(defaults(), path)),
    value: shown(setting, loaded, valueAt(loaded.config, path)),
    ...{ source: source.kind, from: wordsOf(source), fixed },
    stored: row === undefined ? null : storedView(row, resolved),
  };
}

/** Every setting: those that can be changed, those that are read at the start, and what is stored under keys that this version does not know. */
export function describeAll(resolved: Resolved, rows: readonly ConfigEntryRow[]): readonly Setting[] {
  const stored = new Map(rows.map((row) => [row.key, row]));
  const unknown = rows.filter(({ key }) => settingOf(key)?.key !== key).map(({ key }) => unknownSetting(key));
  return [...settingKeys, ...startKeys, ...unknown].map((setting) => describeSetting(setting, resolved, stored.get(setting.key)));
}

/** What each source says of a setting, the one that counts least first. */
export function layersOf(setting: SettingKey, { loaded }: Resolved): readonly SettingLayer[] {
  const { path } = setting;
  const { file, environment, database, code } = loaded.layers;
  const wins = sourceOf(loaded.merged, path).kind;
  const layer = (source: SettingSource, given: Layer | undefined): SettingLayer => {
    const value = valueAt(given?.value, path);
    const from = value === undefined || given === undefined ? source : wordsOf(given.sourceOf(path));
    return { source, from, value: shown(setting, loaded, value), wins: wins === source };
  };
  const usually = shown(setting, loaded, valueAt(defaults(), path));
  return [
    { source: "default", from: "default", value: usually, wins: wins === "default" },
    layer("file", file),
    layer("environment", environment),
    layer("database", database),
    layer("code", code),
  ];
}

function storedView(row: ConfigEntryRow, { standings }: Resolved): StoredSettingView {
  const { state, problem } = standings.get(row.key) ?? { state: "refused", problem: "It was not read yet." };
  const { value, version, changedBy, updatedAtMs } = row;
  return { value: value as Json, version, changedBy, changedAtMs: updatedAtMs, state, problem };
}

function wordsOf(source: Source): string {
  return describeSource(source) || source.kind;
}

/** What is read at the start may be a secret, or have secrets in it; what can be changed never is. */
function shown({ path, fixed, times }: SettingKey, { config, templates }: LoadedConfig, value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (fixed === null) return times === 1 ? (value as Json) : (value as number) / times;
  if (typeof value === "object" && !(value instanceof Secret)) return null;
  if (valueAt(config, path) instanceof Secret && !(value instanceof Secret)) return "***";
  return shownValue(value, path, templates.get(formatPath(path)));
}
