import { GatewayError, type Gateway, type Setting } from "@sallyport/core";
import { withGateway } from "../access/with-gateway.js";
import type { Command } from "../command.js";

export interface SettingOptions {
  readonly key: string | undefined;
  /** JSON, or text as it stands. */
  readonly value: string | undefined;
  readonly json: boolean;
}
type Json = Setting["value"];

/** `config list`, `get <key>`, `set <key> <value>` and `reset <key>`: the settings of the database, which a gateway that runs on it takes within a second. */
export async function settings(command: Command, action: string | undefined, o: SettingOptions): Promise<number> {
  const known = ["list", "get", "set", "reset"];
  if (!known.includes(action ?? "list"))
    throw new GatewayError("bad_request", `"config ${action}" is not known.`, { hint: `Use config ${known.join(", config ")}.` });
  return withGateway(command, (gateway) => {
    switch (action) {
      case "get":
        return get(command, gateway, o);
      case "set":
        return set(command, gateway, o);
      case "reset":
        return reset(command, gateway, o);
      default:
        return list(command, gateway, o);
    }
  });
}

async function list({ terminal }: Command, { configuration }: Gateway, o: SettingOptions): Promise<number> {
  const all = await configuration.list();
  if (o.json) {
    terminal.out(JSON.stringify(all, null, 2));
    return 0;
  }
  const { paint } = terminal;
  for (const setting of all.filter(({ fixed, stored }) => fixed === null || stored !== null)) {
    const line = [setting.key, text(setting.value), fromOf(setting)].join("\t");
    terminal.out(setting.source === "default" ? paint.dim(line) : line);
    if (setting.stored?.state === "refused") terminal.err(refused(setting));
  }
  return 0;
}

async function get({ terminal }: Command, { configuration }: Gateway, o: SettingOptions): Promise<number> {
  const setting = await configuration.explain(keyOf(o));
  if (o.json) {
    terminal.out(JSON.stringify(setting, null, 2));
    return 0;
  }
  const { description, expected, unit, stored, fixed } = setting;
  terminal.out(text(setting.value));
  terminal.err(`${setting.key}: ${description}${unit === null ? "" : ` (${unit})`}. ${expected === "" ? "" : `Takes ${expected}.`}`);
  for (const { from, value, wins } of setting.layers)
    if (value !== null || wins) terminal.err(`  ${wins ? "*" : " "} ${from}: ${text(value)}`);
  if (fixed !== null) terminal.err(`It cannot be changed while the gateway runs: ${fixed}.`);
  else if (stored?.state === "refused") terminal.err(refused(setting));
  else if (stored?.state === "overridden") terminal.err(`${text(stored.value)} is stored and does not count. ${stored.problem ?? ""}`);
  return 0;
}

async function set({ terminal }: Command, { configuration }: Gateway, o: SettingOptions): Promise<number> {
  if (o.value === undefined)
    throw new GatewayError("bad_request", "A setting takes a value.", { hint: "sallyport config set sessions.ttl_hours 12" });
  const setting = await configuration.set(keyOf(o), parsed(o.value));
  terminal.err(`${setting.key} is ${text(setting.value)}, from ${fromOf(setting)}.`);
  const problem = setting.stored?.problem ?? null;
  if (problem !== null) terminal.err(problem);
  return 0;
}

async function reset({ terminal }: Command, { configuration }: Gateway, o: SettingOptions): Promise<number> {
  await configuration.reset(keyOf(o));
  const setting = (await configuration.list()).find(({ key }) => key === o.key);
  if (setting !== undefined) terminal.err(`${setting.key} is ${text(setting.value)}, from ${fromOf(setting)}.`);
  return 0;
}

function keyOf({ key }: SettingOptions): string {
  if (key !== undefined) return key;
  throw new GatewayError("bad_request", "Which setting?", { hint: "`sallyport config list` shows every key." });
}

function parsed(value: string): Json {
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

function text(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function fromOf({ source, from }: Setting): string {
  return source === "code" && from === "code" ? "command line" : from;
}

function refused({ key, stored }: Setting): string {
  return `! ${key}: what is stored is not valid and does not count. ${stored?.problem ?? ""}`;
}
