import type { Json } from "../../calls/index.js";

/** Where the value of a setting comes from; a later one counts more. */
export const settingSources = ["default", "file", "environment", "database", "code"] as const;
export type SettingSource = (typeof settingSources)[number];
export const settingTypes = ["integer", "number", "boolean", "text", "list", "object"] as const;
export const settingStates = ["applied", "overridden", "refused"] as const;

/** One setting of a gateway: what it takes, what holds, and where that comes from. Secrets are masked. */
export interface Setting {
  /** `sessions.ttl_hours`. */
  readonly key: string;
  /** Where it stands in the configuration: `sessions.ttlSeconds`. */
  readonly path: string;
  readonly type: (typeof settingTypes)[number];
  /** What it takes, in words: `a whole number from 60`. */
  readonly expected: string;
  readonly unit: string | null;
  readonly description: string;
  /** null: there is none. */
  readonly default: Json;
  /** What holds in this process; null: nothing. */
  readonly value: Json;
  readonly source: SettingSource;
  /** The source in words: `sallyport.config.json`, `the environment variable LOG_LEVEL`. */
  readonly from: string;
  /** Why it cannot be changed while the gateway runs; null: it can. */
  readonly fixed: string | null;
  readonly stored: StoredSettingView | null;
}
/** The row of a setting. */
export interface StoredSettingView {
  readonly value: Json;
  /** Grows with each change. */
  readonly version: number;
  /** The id of the caller who set it; null: nobody knows. */
  readonly changedBy: string | null;
  /** Unix ms. */
  readonly changedAtMs: number;
  /** `overridden`: something counts more. `refused`: it is not valid, and what was valid before stays. */
  readonly state: (typeof settingStates)[number];
  readonly problem: string | null;
}
/** Why a setting has the value that it has. */
export interface SettingExplanation extends Setting {
  /** Every source, the one that counts least first. */
  readonly layers: readonly SettingLayer[];
}
export interface SettingLayer {
  readonly source: SettingSource;
  readonly from: string;
  /** null: this source does not give it. */
  readonly value: Json;
  readonly wins: boolean;
}
/** What would become of a change of a setting. Nothing is stored. */
export interface SettingTest {
  readonly accepted: boolean;
  /** What is wrong, or why it would not count although it is accepted. */
  readonly problem: string | null;
  /** What would hold then. */
  readonly value: Json;
}
