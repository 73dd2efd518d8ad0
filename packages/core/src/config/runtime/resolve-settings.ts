import type { Json } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { formatPath, isPlainObject, valueAt, type ConfigPath } from "../config-path.js";
import type { Layer } from "../layers.js";
import { mergeConfig, type LoadedConfig } from "../load-config.js";
import type { Config } from "../schema.js";
import { problemOf, settingKeys, settingOf, type SettingKey } from "./setting-keys.js";

/** A stored setting, as its row has it. */
export interface StoredSetting {
  readonly id: string;
  readonly key: string;
  readonly value: unknown;
  readonly version: number;
  readonly updatedAtMs: number;
}
/** What becomes of a stored setting. `overridden`: by the program's code, or by a key that says the same more exactly. `refused`: its value is not valid; what was valid before stays. */
export interface Standing {
  readonly state: "applied" | "overridden" | "refused";
  /** Why it is not applied, and what mends it. */
  readonly problem: string | null;
}
/** The configuration with what is stored. */
export interface Resolved {
  readonly loaded: LoadedConfig;
  /** By key, of each row. */
  readonly standings: ReadonlyMap<string, Standing>;
  /** By key: the values that count, and those that counted last of rows that are refused now. */
  readonly good: ReadonlyMap<string, Json>;
}

interface Candidate {
  readonly setting: SettingKey;
  readonly value: Json;
}
const applied: Standing = { state: "applied", problem: null };

/** Nothing is stored. */
export function unsettled(loaded: LoadedConfig): Resolved {
  return { loaded, standings: new Map(), good: new Map() };
}

/**
 * The configuration of a gateway with what its store has: each row held against its key's schema, and all of them together against the whole. A row that does not fit is left out, and the value
 * of its key that counted before stays (`before`; at the start there is none). Rows that do not fit each other: the one that was stored first counts. Pure; never throws for what is stored.
 */
export function resolveSettings(base: LoadedConfig, rows: readonly StoredSetting[], before: ReadonlyMap<string, Json>): Resolved {
  const standings = new Map<string, Standing>();
  const candidates: Candidate[] = [];
  for (const row of [...rows].sort((a, b) => a.updatedAtMs - b.updatedAtMs || (a.key < b.key ? -1 : 1))) {
    const { candidate, standing } = judged(base, row);
    standings.set(row.key, standing);
    const setting = settingOf(row.key);
    const kept = before.get(row.key);
    if (candidate !== null) candidates.push(candidate);
    else if (standing.state === "refused" && setting !== undefined && kept !== undefined) candidates.push({ setting, value: kept });
  }
  const exact = mostExact(candidates, standings);
  const { loaded, chosen } = together(base, { candidates: exact, standings, before });
  return { loaded, standings, good: new Map(chosen.map(({ setting, value }) => [setting.key, value])) };
}

/** Whether the code gives the value: then nothing stored stands over it. */
export function isPinned({ layers }: LoadedConfig, { path }: SettingKey): boolean {
  return valueAt(layers.code?.value, path) !== undefined;
}

function judged(base: LoadedConfig, row: StoredSetting): { readonly candidate: Candidate | null; readonly standing: Standing } {
  const setting = settingOf(row.key);
  if (setting === undefined || setting.key !== row.key)
    return refused("This version has no such setting. Remove it, or update the gateway.");
  if (setting.fixed !== null) return refused(`It cannot be changed while the gateway runs: ${setting.fixed}.`);
  if (isPinned(base, setting))
    return { candidate: null, standing: { state: "overridden", problem: "The program gives it in code, which counts more." } };
  const problem = problemOf(setting, row.value);
  if (problem !== null) return refused(`${sentence(problem.what)} ${sentence(problem.fix)}`);
  return { candidate: { setting, value: row.value as Json }, standing: applied };
}

function refused(problem: string): { readonly candidate: null; readonly standing: Standing } {
  return { candidate: null, standing: { state: "refused", problem } };
}

/** Of the keys of one path the first in the table. */
function mostExact(candidates: readonly Candidate[], standings: Map<string, Standing>): readonly Candidate[] {
  const rank = ({ setting }: Candidate): number => settingKeys.indexOf(setting);
  const winners = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const path = formatPath(candidate.setting.path);
    const known = winners.get(path);
    if (known === undefined || rank(candidate) < rank(known)) winners.set(path, candidate);
  }
  return candidates.filter((candidate) => {
    const winner = winners.get(formatPath(candidate.setting.path))!;
    const { key } = candidate.setting;
    if (winner !== candidate && standings.get(key)?.state === "applied")
      standings.set(key, { state: "overridden", problem: `${winner.setting.key} is stored too, which says the same more exactly.` });
    return winner === candidate;
  });
}

interface Choosing {
  readonly candidates: readonly Candidate[];
  readonly standings: Map<string, Standing>;
  readonly before: ReadonlyMap<string, Json>;
}

/** All at once; when they do not fit, one after the other, so that each that does not fit those before it is left out. */
function together(base: LoadedConfig, { candidates, standings, before }: Choosing): { loaded: LoadedConfig; chosen: readonly Candidate[] } {
  if (candidates.length === 0) return { loaded: base, chosen: [] };
  const whole = tryAll(base, candidates);
  if (!(whole instanceof GatewayError)) return { loaded: whole, chosen: candidates };
  let loaded = base;
  let chosen: readonly Candidate[] = [];
  for (const candidate of candidates) {
    const { key } = candidate.setting;
    const last = before.get(key);
    const tries = last === undefined ? [candidate] : [candidate, { ...candidate, value: last }];
    for (const tried of tries) {
      const next = tryAll(base, [...chosen, tried]);
      if (!(next instanceof GatewayError)) {
        loaded = next;
        chosen = [...chosen, tried];
        break;
      }
      standings.set(key, { state: "refused", problem: problemText(next) });
    }
  }
  return { loaded, chosen };
}

/** The configuration with these stored values, or what is wrong with it. */
export function tryAll(base: LoadedConfig, candidates: readonly Candidate[]): LoadedConfig | GatewayError {
  try {
    const { config } = base;
    const loaded = mergeConfig({ ...base.layers, database: layerOfStored(candidates) });
    return { ...loaded, config: withSettings(config, loaded.config) };
  } catch (error) {
    return GatewayError.from(error);
  }
}

/** What is said first of a configuration that is not valid, with what mends it. */
export function problemText(error: GatewayError): string {
  const [problem] = (error.details?.["problems"] ?? []) as readonly { path: string; what: string; fix: string }[];
  return problem === undefined ? error.message : `${problem.path} ${problem.what}. ${sentence(problem.fix)}`;
}

function layerOfStored(candidates: readonly Candidate[]): Layer {
  let value: Record<string, unknown> = {};
  const keys = new Map<string, string>();
  for (const { setting, value: stored } of candidates) {
    value = withValue(value, setting.path, setting.times === 1 ? stored : (stored as number) * setting.times) as Record<string, unknown>;
    keys.set(formatPath(setting.path), setting.key);
  }
  const keyAt = (path: ConfigPath): string | undefined => keys.get(formatPath(path));
  // An element of a list has the key of its list.
  return { value, sourceOf: (path) => ({ kind: "database", key: keyAt(path) ?? keyAt(path.slice(0, -1)) ?? "" }) };
}

/** The configuration with the other one's values of what can be changed: everything else stays the object that it is, so that who holds a part of it sees no change. */
export function withSettings(config: Config, from: Config): Config {
  let result: unknown = config;
  for (const { path } of settingKeys) {
    const wanted = valueAt(from, path);
    if (JSON.stringify(valueAt(result, path)) !== JSON.stringify(wanted)) result = withValue(result, path, wanted);
  }
  return result as Config;
}

/** A frozen copy along the path. */
function withValue(object: unknown, path: ConfigPath, value: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  const copy: Record<string | number, unknown> = isPlainObject(object) ? { ...object } : {};
  const next = withValue(copy[part], rest, value);
  if (next === undefined) delete copy[part];
  else copy[part] = next;
  return Object.freeze(copy);
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(upper) ? upper : `${upper}.`;
}
