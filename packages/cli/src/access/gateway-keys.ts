import type { Gateway, KeyView } from "@sallyport/core";
import { GatewayError } from "@sallyport/core";
import type { Command } from "../command.js";
import { withGateway } from "./with-gateway.js";

/** What of the command line says how a key is to be. */
export interface KeyOptions {
  /** Id of the key, for `rotate` and `revoke`. */
  readonly target: string | undefined;
  readonly name: string | undefined;
  /** Separated by commas. */
  readonly scopes: string | undefined;
  readonly project: string | undefined;
  readonly environment: string | undefined;
  /** `90d`, `12h`, or a date and time. */
  readonly expires: string | undefined;
  readonly rpm: string | undefined;
  /** How long the key before stays valid after a rotation. */
  readonly overlap: string | undefined;
}

/** `keys create`, `keys list`, `keys rotate <id>`, `keys revoke <id>`: as the owner, also under a gateway that runs on the same database. */
export async function gatewayKeys(command: Command, action: string, o: KeyOptions): Promise<number> {
  return withGateway(command, (gateway) => {
    if (action === "create") return create(gateway, command, o);
    if (action === "list") return list(gateway, command);
    if (action === "rotate") return rotate(gateway, command, o);
    return revoke(gateway, command, o);
  });
}

async function create(gateway: Gateway, { terminal }: Command, o: KeyOptions): Promise<number> {
  if (o.name === undefined) throw misused("A key has a name.", "sallyport keys create --name ci");
  const made = await gateway.keys.create({
    name: o.name,
    scopes: o.scopes?.split(",").map((scope) => scope.trim()),
    projectId: o.project,
    environment: o.environment,
    expiresAtMs: o.expires === undefined ? null : instant(o.expires),
    rateLimit: o.rpm === undefined ? null : { requestsPerMinute: Number(o.rpm) },
  });
  terminal.out(made.key);
  terminal.err(`This is the key "${made.name}" (${made.id}), shown only this once. It may: ${made.scopes.join(", ")}.`);
  return 0;
}

async function list(gateway: Gateway, { terminal }: Command): Promise<number> {
  const nowMs = Date.now();
  let cursor: string | undefined;
  do {
    const { keys, next } = await gateway.keys.list({ limit: 500, cursor });
    for (const key of keys) terminal.out([key.id, stateOf(key, nowMs), key.projectId, key.name, key.scopes.join(",")].join("\t"));
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return 0;
}

function stateOf(key: KeyView, nowMs: number): string {
  if (key.revokedAtMs !== null) return "revoked";
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return "expired";
  return key.enabled ? "valid" : "disabled";
}

async function rotate(gateway: Gateway, { terminal }: Command, o: KeyOptions): Promise<number> {
  const id = idOf(o);
  const overlapMs = o.overlap === undefined ? 0 : duration(o.overlap);
  const { key, name } = await gateway.keys.rotate(id, { overlapMs });
  terminal.out(key);
  const before = overlapMs === 0 ? "The one before is no longer valid." : `The one before stays valid for ${o.overlap ?? ""}.`;
  terminal.err(`This is the key "${name}" from now on, shown only this once. ${before}`);
  return 0;
}

async function revoke(gateway: Gateway, { terminal }: Command, o: KeyOptions): Promise<number> {
  const { name } = await gateway.keys.revoke(idOf(o));
  terminal.err(`The key "${name}" is no longer valid, nor is any that was made from it.`);
  return 0;
}

function idOf({ target }: KeyOptions): string {
  if (target !== undefined) return target;
  throw misused("Which key?", "sallyport keys list shows their ids.");
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function duration(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) throw misused(`"${text}" is no duration.`, "Write 30m, 12h or 90d.");
  return Number(count) * units[unit]!;
}

function instant(text: string): number {
  if (/^\d+[smhd]$/.test(text)) return Date.now() + duration(text);
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw misused(`"${text}" is no date.`, "Write 90d, or 2027-01-31.");
  return ms;
}

function misused(message: string, hint: string): GatewayError {
  return new GatewayError("bad_request", message, { hint });
}
