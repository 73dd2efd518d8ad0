import type { Caller } from "../../../calls/index.js";
import type { UsageRow } from "../../../entities/index.js";
import type {
  ReportPeriod,
  UsageDay,
  UsageDimension,
  UsageForecast,
  UsageGroup,
  UsageQuery,
  UsageReports,
  UsageTotals,
} from "./usage-reports.js";

export interface UsageLedgerOptions {
  readonly reports: UsageReports;
  readonly caller: Caller;
  /** Has the store open. */
  readonly ready: () => Promise<void>;
  /** Writes rows as a file. */
  readonly file: (pages: AsyncIterable<readonly UsageRow[]>, format: "csv" | "json") => AsyncIterable<Uint8Array>;
}

const DAY_MS = 86_400_000;

/**
 * What calls used and cost, for programs: rows of the ledger and sums over them, money in whole nano-dollars. Reads what is written when it is asked; the row of a call that has just ended follows within milliseconds.
 * Errors of each: `store_unavailable`, `deadline_exceeded`.
 */
export class UsageLedger {
  readonly #o: UsageLedgerOptions;

  constructor(options: UsageLedgerOptions) {
    this.#o = options;
  }

  /** Rows of calls, newest first; 50 a page when `limit` is left out. */
  async find(
    query: UsageQuery & { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<{ readonly rows: readonly UsageRow[]; readonly next: string | null }> {
    const { limit = 50, cursor, ...filters } = query;
    await this.#o.ready();
    return this.#o.reports.find(filters, { caller: this.#o.caller, limit, cursor });
  }

  async summary(query: UsageQuery = {}): Promise<UsageTotals> {
    await this.#o.ready();
    return this.#o.reports.summary(query, this.#o.caller);
  }

  /** The dearest first. */
  async by(dimension: UsageDimension, query: UsageQuery = {}): Promise<readonly UsageGroup[]> {
    await this.#o.ready();
    return this.#o.reports.by(dimension, query, this.#o.caller);
  }

  /** One for every day in UTC; the last 14 when no time is given. */
  async daily(query: UsageQuery = {}): Promise<readonly UsageDay[]> {
    await this.#o.ready();
    const toMs = query.toMs ?? this.#o.reports.nowMs() + 1;
    const fromMs = query.fromMs ?? Math.floor((toMs - 1) / DAY_MS) * DAY_MS - 13 * DAY_MS;
    return this.#o.reports.daily({ ...query, fromMs, toMs }, this.#o.caller);
  }

  /** What the running period (UTC) will have cost if the rest of it is as what has passed; says what it rests on. */
  async forecast(period: ReportPeriod = "month", query: UsageQuery = {}): Promise<UsageForecast> {
    await this.#o.ready();
    return this.#o.reports.forecast(period, query, this.#o.caller);
  }

  /** Every row that matches, as the bytes of one file, a page of the store at a time. */
  async *export(query: UsageQuery & { readonly format?: "csv" | "json" } = {}): AsyncGenerator<Uint8Array> {
    const { format = "csv", ...filters } = query;
    await this.#o.ready();
    yield* this.#o.file(this.#o.reports.pages(filters, this.#o.caller), format);
  }
}
