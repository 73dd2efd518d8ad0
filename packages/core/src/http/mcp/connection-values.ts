import { GatewayError } from "../../errors/index.js";

/** What stands for a credential wherever a connection is shown; sent back, it keeps the one that is stored. */
export const REDACTED = "[REDACTED]";
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Of a number of seconds, or a text such as `10s`. Errors: `validation_failed`. */
export function milliseconds(value: number | string | null, field: string, most = 86_400_000): number | null {
  if (value === null) return null;
  const [, amount = "", unit = "s"] = typeof value === "number" ? ["", String(value)] : (/^([\d.]+)(ms|s|m|h)$/.exec(value) ?? []);
  const ms = Math.round(Number(amount) * UNITS[unit]!);
  if (ms >= 1 && ms <= most) return ms;
  throw new GatewayError("validation_failed", `config.${field}: is not between 1 ms and ${most} ms`, {
    details: { field: `config.${field}` },
  });
}
