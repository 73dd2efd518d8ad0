import { columnsByName, storedColumns, type AnyEntity, type AnyLogEntity, type StoredColumn } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { isWellFormed } from "../util/well-formed.js";
import type { StoreNow } from "./record-store.js";

// What every store does alike with values, so that none takes what another refuses.

/** A value as it is kept: json as its text. */
export type StoredScalar = string | number | boolean | null;
type Row = Readonly<Record<string, unknown>>;

/** Looked at for each new row, so without a regular expression: A-Z a-z 0-9 _ -. */
function isKey(text: string): boolean {
  if (text.length < 1 || text.length > 64) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const letter = (unit | 32) >= 97 && (unit | 32) <= 122;
    if (!letter && !(unit >= 48 && unit <= 57) && unit !== 95 && unit !== 45) return false;
  }
  return true;
}

export function isStoreNow(value: unknown): value is StoreNow {
  return typeof value === "object" && value !== null && typeof (value as Partial<StoreNow>).storeNowPlusMs === "number";
}

/** Errors: `internal` unless it is 1 to 64 characters of `A-Za-z0-9_-`. */
export function assertKey(value: unknown, what: string): asserts value is string {
  if (typeof value === "string" && isKey(value)) return;
  throw new GatewayError("internal", `${what} is not an id: 1 to 64 characters of A-Za-z0-9_-.`);
}

function wrong(entity: AnyEntity | AnyLogEntity, column: StoredColumn, what: string): GatewayError {
  return new GatewayError("internal", `${entity.name}.${column.name} ${what}.`, { details: { entity: entity.name, field: column.name } });
}
function refused(entity: AnyEntity | AnyLogEntity, column: StoredColumn, what: string): GatewayError {
  return new GatewayError("validation_failed", `${entity.name}.${column.name} ${what}.`, {
    details: { entity: entity.name, field: column.name },
  });
}

function encodeJson(entity: AnyEntity | AnyLogEntity, column: StoredColumn, value: unknown): string {
  try {
    const written = JSON.stringify(value) as string | undefined;
    if (written !== undefined) return written;
  } catch (cause) {
    throw new GatewayError("validation_failed", `${entity.name}.${column.name} cannot be written as JSON.`, {
      hint: "It is circular, too deep, or holds a bigint.",
      cause,
    });
  }
  throw wrong(entity, column, "is no JSON value");
}

function encodeText(entity: AnyEntity | AnyLogEntity, column: StoredColumn, value: unknown): string {
  if (typeof value !== "string") throw wrong(entity, column, "must be a string");
  if (column.column.kind === "text" && value.length > column.column.maxLength)
    throw refused(entity, column, `is longer than ${column.column.maxLength} characters`);
  if (!isWellFormed(value)) throw refused(entity, column, "holds half a surrogate pair, which is no text");
  return value;
}

/**
 * The value as it is kept. Absent is null. Text is well-formed Unicode within its length, an int a safe integer or the store's clock.
 * Errors: `validation_failed` for text that is too long or not well formed and for json that cannot be written, `internal` for another type, or null where the schema has none.
 */
export function encodeValue(entity: AnyEntity | AnyLogEntity, column: StoredColumn, value: unknown): StoredScalar | StoreNow {
  if (value === null || value === undefined) {
    if (column.nullable) return null;
    throw wrong(entity, column, "must not be null");
  }
  switch (column.column.kind) {
    case "text":
    case "long-text":
      return encodeText(entity, column, value);
    case "int":
      if (Number.isSafeInteger(value)) return (value as number) + 0; // -0 becomes 0
      if (isStoreNow(value) && Number.isSafeInteger(value.storeNowPlusMs)) return value;
      throw wrong(entity, column, "must be a safe integer");
    case "bool":
      if (typeof value === "boolean") return value;
      throw wrong(entity, column, "must be a boolean");
    case "json":
      return encodeJson(entity, column, value);
  }
}

/** Errors: `state_corrupt` when the kept value is not what the column holds. Takes 0 and 1 for a bool. */
export function decodeValue(entity: AnyEntity | AnyLogEntity, column: StoredColumn, stored: unknown): unknown {
  if (stored === null && column.nullable) return null;
  switch (column.column.kind) {
    case "text":
    case "long-text":
      if (typeof stored === "string") return stored;
      break;
    case "int":
      if (Number.isSafeInteger(stored)) return stored;
      break;
    case "bool":
      if (typeof stored === "boolean") return stored;
      if (stored === 0 || stored === 1) return stored === 1;
      break;
    case "json":
      if (typeof stored === "string")
        try {
          return JSON.parse(stored);
        } catch {
          if (column.column.unreadable === "null") return null;
          // reported below, without the text
        }
      break;
  }
  throw new GatewayError("state_corrupt", `A stored value of ${entity.name}.${column.name} does not read back.`, {
    hint: "The database was changed by something else, or damaged. Restore it from a backup.",
    details: { entity: entity.name, field: column.name },
  });
}

/** Errors: `internal` when the row has a field that was not declared, or one that only the store sets. */
export function assertFields(entity: AnyEntity | AnyLogEntity, row: Row): void {
  const columns = columnsByName(entity);
  for (const name in row) {
    const column = columns.get(name);
    if (column === undefined || column.kept)
      throw new GatewayError("internal", `A write of ${entity.name} names "${name}", which it cannot set.`, {
        details: { entity: entity.name, field: name },
      });
  }
}

/** A row out of the store, from its kept values in the order of `storedColumns`, which begin at `from`. */
export function decodeRow(entity: AnyEntity | AnyLogEntity, stored: readonly unknown[], from = 0): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const column of storedColumns(entity)) row[column.name] = decodeValue(entity, column, stored[from + column.index]);
  return row;
}
