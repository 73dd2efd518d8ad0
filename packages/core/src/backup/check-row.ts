import { storedColumns, type AnyEntity, type AnyLogEntity } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { append, encodeUnits, insert, type Crypto, type KeptInstants } from "../ports/index.js";
import type { Entity, LogEntity } from "../entities/index.js";
import { toHex } from "../util/encoding/hex.js";
import type { RowLine } from "./backup-lines.js";
import type { Fate } from "./import-report.js";
import { withheldFields, type Declared } from "./what-moves.js";

type Row = Record<string, unknown>;
const scope = { system: "a look at rows of a backup" };

/** What puts something in the place of a secret that did not come along. */
export interface Placeholders {
  readonly crypto: Crypto;
  /** Seals a value for a row, as this store's gateways do. */
  readonly seal: (value: string, place: { readonly table: string; readonly column: string; readonly rowId: string }) => string;
}
export interface CheckedRow {
  readonly id: string;
  /** Whole, with something in the place of each secret. */
  readonly row: Row;
  /** Its fields that came along: by them it is compared with a row that stands. */
  readonly came: readonly string[];
  readonly lacking: readonly { readonly field: string; readonly fate: Fate }[];
  /** Those that it had; undefined: the file does not say. */
  readonly kept: KeptInstants | undefined;
}

/** A row out of a file, held against its entity. Errors: `validation_failed`, saying what is wrong with it. */
export function checkRow(entity: AnyEntity, line: RowLine, o: Placeholders): CheckedRow {
  const withheld = withheldFields(entity);
  const lost = new Set(line.lost);
  const row = checkedFields(entity, line.row, withheld);
  const id = (row["id"] = line.row["id"]) as string;
  for (const field of lost) if (!withheld.includes(field)) throw wrong(`"${field.slice(0, 64)}" is no secret of it`);
  const lacking: { field: string; fate: Fate }[] = [];
  let isDisabled = false;
  for (const field of withheld) {
    const { access, schema } = entity.fields[field]!;
    const isNullable = schema.safeParse(null).success;
    if (isNullable) row[field] = null;
    else if (access === "hashed") row[field] = toHex(o.crypto.random(32));
    else row[field] = o.seal("", { table: entity.table, column: field, rowId: id });
    if (isNullable && !lost.has(field)) continue;
    const stops = access === "secret" && entity.fields["enabled"]?.column.kind === "bool";
    isDisabled ||= stops;
    lacking.push({ field, fate: stops ? "disabled" : access === "secret" ? "unset" : "unknown" });
  }
  // A row that goes on without its secret would do half of what it did: calls without a credential, posts without a signature.
  if (isDisabled) row["enabled"] = false;
  encodes(() => encodeUnits([{ scope, writes: [insert(entity as Entity<Row>, row)] }]));
  return { id, row, came: Object.keys(row).filter((name) => !withheld.includes(name)), lacking, kept: line.kept };
}

/** An entry out of a file. Errors: `validation_failed`. */
export function checkEntry(log: AnyLogEntity, stream: string, entry: Readonly<Row>): Row {
  const row = checkedFields(log, entry, []);
  encodes(() => encodeUnits([{ scope, writes: [append(log as LogEntity<Row>, stream, { entries: [row] })] }]));
  return row;
}

function checkedFields(entity: Declared, given: Readonly<Row>, withheld: readonly string[]): Row {
  const row: Row = {};
  const names = new Set<string>();
  for (const { name, kept } of storedColumns(entity)) {
    if (!kept && !withheld.includes(name)) names.add(name);
  }
  for (const name of Object.keys(given)) {
    if (withheld.includes(name)) throw wrong(`it carries ${name}, which no backup does`);
    if (!names.has(name)) throw wrong(`it has a field "${name.slice(0, 64)}" that this version does not know`);
  }
  for (const name of names) row[name] = checkedValue(entity, name, given);
  return row;
}

function checkedValue(entity: Declared, name: string, given: Readonly<Row>): unknown {
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  const schema = entity.fields[name]?.schema;
  if (schema === undefined) return value; // what its kind brings: looked at by the store's own rules
  const parsed = schema.safeParse(value);
  if (parsed.success) return value ?? parsed.data ?? null;
  // A field that came with a newer version is empty in older files.
  if (value === undefined && schema.safeParse(null).success) return null;
  throw wrong(`${name} is not valid`);
}

/** What one store refuses, all do: so it is known before anything is written. */
function encodes(encode: () => unknown): void {
  try {
    encode();
  } catch (error) {
    throw wrong(GatewayError.from(error).message);
  }
}

function wrong(why: string): GatewayError {
  return new GatewayError("validation_failed", why);
}
