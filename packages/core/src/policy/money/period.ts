import type { BudgetPeriod } from "../../entities/index.js";

/** Half open: the end is the next one's start. null: it never ends. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number | null;
}

interface Day {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

const DAY_MS = 86_400_000;
const WHOLE: Period = { startMs: 0, endMs: null };
const formats = new Map<string, Intl.DateTimeFormat>();

/** The day, ISO week (from Monday) or month of the time zone that an instant lies in; `total` is one period without an end. */
export function periodAt(atMs: number, period: BudgetPeriod, timezone: string): Period {
  if (period === "total") return WHOLE;
  const local = dayAt(atMs, timezone);
  if (period === "month") {
    const next = local.month === 12 ? { year: local.year + 1, month: 1, day: 1 } : { ...local, month: local.month + 1, day: 1 };
    return { startMs: startOf({ ...local, day: 1 }, timezone), endMs: startOf(next, timezone) };
  }
  const days = period === "day" ? 1 : 7;
  const weekday = (new Date(Date.UTC(local.year, local.month - 1, local.day)).getUTCDay() + 6) % 7;
  const first = period === "day" ? local : plus(local, -weekday);
  return { startMs: startOf(first, timezone), endMs: startOf(plus(first, days), timezone) };
}

function plus({ year, month, day }: Day, days: number): Day {
  const date = new Date(Date.UTC(year, month - 1, day + days));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** The first instant of a day there: midnight, or what comes after where the clock skips it. */
function startOf(day: Day, timezone: string): number {
  const midnight = Date.UTC(day.year, day.month - 1, day.day);
  if (timezone === "UTC") return midnight;
  // An offset is that of an instant, which is what is looked for: twice is enough, and a skipped midnight is found from the day's end backwards.
  let at = midnight - offsetAt(midnight, timezone);
  at = midnight - offsetAt(at, timezone);
  const there = dayAt(at, timezone);
  if (there.day === day.day && there.month === day.month) return at;
  return midnight - offsetAt(at + DAY_MS / 2, timezone) + Math.max(0, offsetAt(at + DAY_MS / 2, timezone) - offsetAt(at, timezone));
}

function offsetAt(atMs: number, timezone: string): number {
  const p = partsAt(atMs, timezone);
  return Date.UTC(p["year"]!, p["month"]! - 1, p["day"], p["hour"], p["minute"], p["second"]) - Math.floor(atMs / 1000) * 1000;
}

function dayAt(atMs: number, timezone: string): Day {
  if (timezone === "UTC") {
    const date = new Date(atMs);
    return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
  }
  const p = partsAt(atMs, timezone);
  return { year: p["year"]!, month: p["month"]!, day: p["day"]! };
}

function partsAt(atMs: number, timezone: string): Readonly<Record<string, number>> {
  let format = formats.get(timezone);
  if (format === undefined) {
    const digits = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone: timezone, calendar: "gregory", hourCycle: "h23", ...digits });
    formats.set(timezone, format);
  }
  return Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
}
