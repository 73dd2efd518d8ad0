import type { Caller, Json } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Bus, Clock, RecordStore, Write } from "../../ports/index.js";
import { valueAt } from "../config-path.js";
import { CHANGES_TOPIC } from "../snapshot-holder.js";
import { describeAll, describeSetting, layersOf } from "./describe-setting.js";
import type { EffectiveConfig } from "./effective-config.js";
import { isPinned } from "./resolve-settings.js";
import type { Setting, SettingExplanation, SettingTest } from "./setting.js";
import { changeableSetting, idOfSetting, knownSetting, problemOf, type SettingKey } from "./setting-keys.js";
import { changeSetting, resolvedWith } from "./settings-store.js";

/** What of the services it needs; Services is one. */
export interface RuntimeServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly bus: Bus;
}
export interface RuntimeOptions {
  readonly effective: EffectiveConfig;
  /** Who changes settings through this when nobody else is named. */
  readonly owner: Caller;
  /** Once the gateway has started. */
  readonly ready: () => Promise<void>;
  /** Has this process see what was changed. */
  readonly refresh: () => Promise<void>;
  /** A change's row in the audit. */
  readonly audit: (change: SettingAudit) => Write;
}
export interface SettingAudit extends Changer {
  readonly action: "gateway-config.create" | "gateway-config.update" | "gateway-config.delete";
  readonly id: string;
  readonly key: string;
}
/** Who makes a change, and in which request. */
export interface Changer {
  readonly caller: Caller;
  readonly requestId?: string | undefined;
}

const WITHIN_MS = 10_000;

/**
 * The settings of one gateway that can be changed while it runs. They are kept in its database, stand over defaults, file and environment, and below what the program gives in code. A change is valid for the
 * next call of this process, and for those of other processes within about a second; calls under way keep what they began with.
 * Errors of every method: those of the store; `not_found` for a key that there is not, with the nearest.
 */
export class RuntimeConfiguration {
  readonly #services: RuntimeServices;
  readonly #o: RuntimeOptions;

  constructor(services: RuntimeServices, options: RuntimeOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** Every setting as this process has it: those that can be changed, those that are read at the start, and what is stored under keys that this version does not know. */
  async list(): Promise<readonly Setting[]> {
    await this.#o.ready();
    return describeAll(this.#o.effective.resolved, this.#o.effective.rows);
  }

  async get(key: string): Promise<Setting> {
    await this.#o.ready();
    return this.#describe(knownSetting(key));
  }

  /**
   * Stores a value. `ifVersion`: only while the stored row has this version, 0 while there is none.
   * Errors: `validation_failed` for a value that its key does not take, or that does not fit the others; `forbidden` for a setting that is read at the start; `conflict` for one that the
   * program gives in code, and for another version.
   */
  async set(key: string, value: Json, o: { readonly ifVersion?: number } = {}): Promise<Setting> {
    await this.change({ key, value, ifVersion: o.ifVersion }, { caller: this.#o.owner });
    return this.get(key);
  }

  /** Takes a stored value away: what file, environment or default say holds again. Nothing stored is no error. Errors: `conflict` for another version; `validation_failed` when the others do not fit what holds then. */
  async reset(key: string, o: { readonly ifVersion?: number } = {}): Promise<void> {
    await this.change({ key, value: null, ifVersion: o.ifVersion }, { caller: this.#o.owner });
  }

  /** Every source of a setting with what it says, and which one counts. */
  async explain(key: string): Promise<SettingExplanation> {
    await this.#o.ready();
    const setting = knownSetting(key);
    return { ...this.#describe(setting), layers: layersOf(setting, this.#o.effective.resolved) };
  }

  /** What `set` would do now, without doing it. */
  async test(key: string, value: Json): Promise<SettingTest> {
    await this.#o.ready();
    const setting = knownSetting(key);
    const { base, rows, resolved } = this.#o.effective;
    const holds = (loaded = resolved.loaded): Json => toUnit(setting, valueAt(loaded.config, setting.path));
    try {
      this.#checked(key, value);
    } catch (error) {
      const { message, hint } = GatewayError.from(error);
      return { accepted: false, problem: hint === undefined ? message : `${message} ${hint}`, value: holds() };
    }
    const then = resolvedWith(base, rows, { key: setting.key, value });
    const bad = [...then.standings].find(
      ([other, { state }]) => state === "refused" && (other === setting.key || resolved.standings.get(other)?.state === "applied"),
    );
    if (bad !== undefined) return { accepted: false, problem: bad[1].problem, value: holds() };
    return { accepted: true, problem: then.standings.get(setting.key)?.problem ?? null, value: holds(then.loaded) };
  }

  /** `set` and `reset` (null) for somebody else. */
  async change(
    change: { readonly key: string; readonly value: Json; readonly ifVersion?: number | undefined },
    by: Changer,
  ): Promise<void> {
    await this.#o.ready();
    const { value, ifVersion } = change;
    const key = value === null ? this.#storedKey(change.key) : this.#checked(change.key, value).key;
    const audit = (isNew: boolean): Write => {
      const verb = value === null ? "delete" : isNew ? "create" : "update";
      return this.#o.audit({ action: `gateway-config.${verb}`, id: idOfSetting(key), key, ...by });
    };
    await changeSetting(this.#services.store, {
      base: this.#o.effective.base,
      change: { key, value, callerId: by.caller.id.slice(0, 100), ifVersion, audit },
      within: () => ({ deadlineMs: this.#services.clock.now() + WITHIN_MS }),
    });
    // It is stored: whoever does not hear of it now sees it with the next poll.
    await Promise.all([this.#services.bus.publish(CHANGES_TOPIC, [idOfSetting(key)]), this.#o.refresh()]).catch(() => undefined);
  }

  /** What may be taken away: also what this version does not know. */
  #storedKey(named: string): string {
    const row = this.#o.effective.rows.find(({ id, key }) => key === named || id === named);
    return row?.key ?? knownSetting(named).key;
  }

  /** Errors: those of `set`, but for what depends on other rows. */
  #checked(key: string, value: Json): SettingKey {
    const setting = changeableSetting(key);
    if (isPinned(this.#o.effective.base, setting))
      throw new GatewayError("conflict", `The program gives ${setting.key} in code, which counts more than what is stored.`, {
        hint: "Take it out of what new Gateway() is given, or change it there.",
        details: { key: setting.key, source: "code" },
      });
    const problem = problemOf(setting, value);
    if (problem === null) return setting;
    throw new GatewayError("validation_failed", `${setting.key}: ${problem.what}.`, {
      hint: `${problem.fix.charAt(0).toUpperCase()}${problem.fix.slice(1)}.`,
      details: { field: "value", key: setting.key, expected: setting.expected },
    });
  }

  #describe(setting: SettingKey): Setting {
    const { resolved, rows } = this.#o.effective;
    return describeSetting(
      setting,
      resolved,
      rows.find(({ key }) => key === setting.key),
    );
  }
}

function toUnit({ times }: SettingKey, value: unknown): Json {
  if (value === undefined || value === null) return null;
  return times === 1 ? (value as Json) : (value as number) / times;
}
