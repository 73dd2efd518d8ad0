import type { Json } from "../../calls/index.js";
import { configEntry, configRevision, type ConfigEntryRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, remove, update, type RecordStore, type Within, type Write } from "../../ports/index.js";
import type { LoadedConfig } from "../load-config.js";
import { readRows } from "../records.js";
import { resolveSettings, type Resolved } from "./resolve-settings.js";
import { idOfSetting } from "./setting-keys.js";

/** A change of a setting, and who makes it. */
export interface SettingChange {
  readonly key: string;
  /** Checked by itself already; null: the row goes. */
  readonly value: Json;
  readonly callerId: string;
  /** The version of the row that the caller saw; 0: there was none. Left out: any. */
  readonly ifVersion?: number | undefined;
  /** The change's row in the audit; whether nothing was stored before. */
  readonly audit: (isNew: boolean) => Write;
}

const scope = { system: "settings of the gateway" };
const REVISION = "config";
/** How often a change that expects no version is made again when others changed settings meanwhile. */
const TRIES = 8;

/**
 * Changes stored settings, each in one unit with its row in the audit. All settings are judged together as the store has them, and the unit holds only while none of them changed since.
 * Errors: `validation_failed` when the whole would not be valid; `conflict` for another version than the expected one, or when others kept changing settings.
 */
export async function changeSetting(
  store: RecordStore,
  o: { readonly base: LoadedConfig; readonly change: SettingChange; readonly within: () => Within },
): Promise<void> {
  const { base, change } = o;
  for (let tried = 0; tried < TRIES; tried++) {
    const revision = await store.get(configRevision, REVISION, scope, o.within());
    const rows = await readRows(store, configEntry, o.within());
    const row = rows.find(({ key }) => key === change.key);
    if (change.ifVersion !== undefined && change.ifVersion !== (row?.version ?? 0)) throw changedMeanwhile(change, row);
    const write = writeOf(change, row);
    if (write === null) return;
    assertValid(base, rows, change);
    const lastKey = change.key;
    const guard =
      revision === null
        ? insert(configRevision, { id: REVISION, lastKey })
        : update(configRevision, REVISION, { change: { set: { lastKey } }, ifVersion: revision.version });
    const [result] = await store.commit([{ scope, writes: [guard, write, change.audit(row === undefined)] }], o.within());
    if (result === undefined) throw new GatewayError("internal", "The store answered no result for a unit.");
    if (result.ok) return;
  }
  throw changedMeanwhile(change, undefined);
}

/** What the rows would make of the configuration with this change. */
export function resolvedWith(
  base: LoadedConfig,
  rows: readonly ConfigEntryRow[],
  { key, value }: Pick<SettingChange, "key" | "value">,
): Resolved {
  const others = rows.filter((row) => row.key !== key);
  const own = { id: idOfSetting(key), key, value, version: 0, updatedAtMs: Infinity };
  return resolveSettings(base, value === null ? others : [...others, own], new Map());
}

/** null: there is nothing to write. */
function writeOf({ key, value, callerId }: SettingChange, row: ConfigEntryRow | undefined): Write | null {
  if (value === null) return row === undefined ? null : remove(configEntry, row.id, { ifVersion: row.version });
  const set = { value: value as ConfigEntryRow["value"], changedBy: callerId };
  if (row === undefined) return insert(configEntry, { id: idOfSetting(key), key, ...set });
  return update(configEntry, row.id, { change: { set }, ifVersion: row.version });
}

/** Neither this setting nor one that is applied now would be refused then. */
function assertValid(base: LoadedConfig, rows: readonly ConfigEntryRow[], change: SettingChange): void {
  const now = resolveSettings(base, rows, new Map());
  const then = resolvedWith(base, rows, change);
  for (const [key, { state, problem }] of then.standings)
    if (state === "refused" && (key === change.key || now.standings.get(key)?.state === "applied"))
      throw new GatewayError("validation_failed", `${change.key}: does not fit the other settings. ${problem ?? ""}`, {
        hint: "Change the other one first, or both to values that fit each other.",
        details: { field: "value", key: change.key, with: key },
      });
}

function changedMeanwhile({ key }: SettingChange, row: ConfigEntryRow | undefined): GatewayError {
  return new GatewayError("conflict", `The setting ${key} was changed meanwhile.`, {
    hint: "Read it again, and repeat the change if it still makes sense.",
    details: { key, version: row?.version ?? 0 },
  });
}
