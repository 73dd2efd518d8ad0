import { isStoreNow, type StoredInput } from "@sallyport/core/ports";
import { sql, type RawBuilder } from "kysely";
import type { SqlValue } from "../driver.js";
import type { Slots } from "./statements.js";

/** The parameters of one query, and the key of its text, gathered in one walk. */
export class Inputs {
  readonly values: SqlValue[] = [];
  readonly #nowMs: number;
  readonly #clock: string | null;

  constructor(nowMs: number, clock: string | null) {
    this.#nowMs = nowMs;
    this.#clock = clock;
  }

  /** Adds a value and gives its part of the key: nothing, or where the text has the database's own clock plus an offset in place of a plain parameter. */
  push(value: StoredInput): string {
    if (typeof value === "object" && isStoreNow(value)) {
      this.values.push(this.#clock === null ? this.#nowMs + value.storeNowPlusMs : value.storeNowPlusMs);
      return this.#clock === null ? "" : `@${this.values.length}`;
    }
    this.values.push(typeof value === "boolean" ? Number(value) : value);
    return "";
  }
}

/** The text for one input. */
export function inputSql(value: StoredInput, slots: Slots, clock: string | null): RawBuilder<unknown> {
  const slot = slots.next();
  return clock !== null && typeof value === "object" && isStoreNow(value) ? sql`(${sql.raw(clock)} + ${slot})` : sql`${slot}`;
}
