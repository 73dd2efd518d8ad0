import { mayDo } from "./access/index.js";
import type { Caller, Json } from "./calls/index.js";
import { readRows } from "./config/records.js";
import { guardOf, idOfSetting, RuntimeConfiguration, settingKeys, type Setting } from "./config/runtime/index.js";
import { configEntry } from "./entities/index.js";
import { GatewayError } from "./errors/index.js";
import type { Foundation } from "./gateway-foundation.js";
import { auditChange } from "./policy/audit-change.js";
import { toView } from "./routes/index.js";
import type { ActionOptions, ResourceActions } from "./seams/index.js";

export interface ConfigurationOptions {
  readonly owner: Caller;
  readonly ready: () => Promise<void>;
}

/** The settings of a gateway that can be changed while it runs, also over REST. */
export function configurationOf(base: Foundation, o: ConfigurationOptions): RuntimeConfiguration {
  const { services, effective, snapshots } = base;
  const configuration = new RuntimeConfiguration(services, {
    ...{ effective, owner: o.owner, ready: o.ready, refresh: () => snapshots.refresh() },
    audit: ({ action, id, caller, requestId }) =>
      auditChange(
        {
          ...{ caller, action, target: id, resourceType: "gateway-config", changed: ["value"], requestId },
          source: requestId === undefined ? "code" : "http",
        },
        services.clock.now(),
      ),
  });
  services.seams.resources.set("configEntry", actionsOf(configuration, base));
  return configuration;
}

type Row = Readonly<Record<string, unknown>>;

/** Settings in the resource API: a row a key, those that are not stored among them. */
function actionsOf(configuration: RuntimeConfiguration, { store, services }: Foundation): ResourceActions {
  const within = ({ deadlineMs, signal }: ActionOptions) => ({ deadlineMs, signal });
  const known = async (rows: readonly Row[]): Promise<readonly Row[]> => {
    const settings = new Map((await configuration.list()).map((setting) => [setting.key, setting]));
    return rows.map(({ key }) => shownOf(settings.get(key as string)));
  };
  /** As it stands in the store now, with what is shown beside it. */
  const view = async (key: string, o: ActionOptions): Promise<Row> => {
    const rows = await readRows(store, configEntry, within(o));
    const row: Row = { ...(rows.find((one) => one.key === key) ?? unstored(key)) };
    const [more] = await known([row]);
    return toView(configEntry, { ...row, ...more });
  };
  const change = async (change: { id: string; value: Json; ifVersion?: number | undefined }, o: ActionOptions): Promise<string> => {
    const key = await keyOf(change.id, o);
    const { value, ifVersion } = change;
    assertGuarded(key, o.caller);
    await configuration.change({ key, value, ifVersion }, { caller: o.caller, requestId: o.requestId });
    return key;
  };
  const assertGuarded = (key: string, caller: Caller): void => {
    const scope = guardOf(key);
    if (scope === null) return;
    assertMay(scope, key, caller);
    services.seams.resources.assertEverywhere(caller, scope);
  };
  const keyOf = async (id: string, o: ActionOptions): Promise<string> => {
    const row = await store.get(configEntry, idOfSetting(id), { system: "settings of the gateway" }, within(o));
    return row?.key ?? id.replaceAll("-", ".");
  };
  return {
    fixedMayChange: true,
    idOf: idOfSetting,
    shown: (rows) => known(rows),
    async fixed(o) {
      const stored = new Set((await readRows(services.store, configEntry, within(o))).map(({ key }) => key));
      return settingKeys.filter(({ key }) => !stored.has(key)).map(({ key }) => unstored(key));
    },
    async create(input, o) {
      const { key, value } = input as { key: string; value: Json };
      if (value === null) throw withoutValue();
      assertGuarded(key, o.caller);
      await configuration.change({ key, value, ifVersion: 0 }, { caller: o.caller, requestId: o.requestId });
      return view(key, o);
    },
    async update({ id, set, ifVersion }, o) {
      const value = (set["value"] ?? null) as Json;
      if (value === null) throw withoutValue();
      return view(await change({ id, value, ifVersion }, o), o);
    },
    async remove({ id, ifVersion }, o) {
      await change({ id, value: null, ifVersion }, o);
    },
  };
}

/** A setting that nothing is stored of. */
function unstored(key: string): Row {
  return { id: idOfSetting(key), key, value: null, changedBy: null, origin: "configuration" };
}

function shownOf(setting: Setting | undefined): Row {
  if (setting === undefined) return {};
  const { type, expected, unit, description, default: usual, value, source, from, fixed, stored } = setting;
  return {
    ...{ type, expected, unit, description, default: usual, effective: value, source, from, fixed },
    ...{ state: stored?.state ?? null, problem: stored?.problem ?? null },
  };
}

/** Errors: `forbidden`. */
function assertMay(scope: string, key: string, caller: Caller): void {
  const [what = "", name = ""] = scope.split(":");
  if (mayDo(caller, what, name)) return;
  throw new GatewayError("forbidden", `${key} is changed by who has ${scope} as well.`, {
    hint: "Ask somebody who has it, or have it given to you.",
    details: { missing: scope, key },
  });
}

function withoutValue(): GatewayError {
  return new GatewayError("validation_failed", "value: is null.", {
    hint: "Delete the setting, and what file, environment or default say holds again.",
    details: { field: "value" },
  });
}
