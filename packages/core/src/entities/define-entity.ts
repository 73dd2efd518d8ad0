import type { z } from "zod";

/** The id of a row, unique within its entity: at most 64 characters of `A-Za-z0-9_-`. */
export type Key = string;

/** How a field is stored. Instants and counts are safe integers; `json` is any JSON value, read back as a value on every store. */
export type Column =
  | { readonly kind: "text"; readonly maxLength: number }
  | { readonly kind: "long-text" }
  | { readonly kind: "int" }
  | { readonly kind: "bool" }
  | { readonly kind: "json"; readonly unreadable?: "null" };

export const text = (maxLength: number): Column => ({ kind: "text", maxLength });
export const longText: Column = { kind: "long-text" };
export const int: Column = { kind: "int" };
export const bool: Column = { kind: "bool" };
export const json: Column = { kind: "json" };
/** What somebody else wrote and is no JSON reads as null, which the schema accepts: only where whoever reads it judges each value and one that is spoilt must not keep the others from being read. */
export const jsonOrNull: Column = { kind: "json", unreadable: "null" };

/**
 * Who sets a field and who sees it. `open`: people set and change it. `create-only`: set once. `server`: only we set it. `secret`: sealed before a
 * store sees it, never shown. `hashed`: a digest of something shown once, never shown.
 */
export type Access = "open" | "create-only" | "server" | "secret" | "hashed";

export interface FieldTraits {
  readonly access: Access;
  readonly column: Column;
  /** Lists may filter by it; only for fields at the head of an index. */
  readonly filter?: true;
  /** Lists may sort by it; only for fields at the head of an index. */
  readonly sort?: true;
  /** A change of only this field does not move `version`. */
  readonly touch?: true;
  /**
   * The entity whose id it holds, and what deleting that row through the resource API does. Only of rows that stand before it and go after it: every store refuses a row that would
   * refer to none, and the removal of one that is referred to. The field is the head of an index.
   */
  readonly ref?: { readonly entity: string; readonly onDelete: "refuse" | "cascade" | "clear" };
}
export interface Field<V> extends FieldTraits {
  readonly schema: z.ZodType<V>;
}

/** One field: a zod schema and its traits. A nullable schema makes a nullable column; there is no undefined in a row. */
export function field<S extends z.ZodType>(schema: S, traits: FieldTraits): Field<z.output<S>> {
  return { schema: schema as unknown as z.ZodType<z.output<S>>, ...traits };
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type RowOf<F> = { -readonly [K in keyof F]: F[K] extends Field<infer V> ? V : never };

/** Fields that every record and machine has; the store keeps them. */
export interface Kept {
  id: Key;
  /** Starts at 1, grows by 1 with every change that is not only a touch. */
  version: number;
  createdAtMs: number;
  updatedAtMs: number;
}
/** Fields that every ledger row has; the writer gives both. */
export interface Dated {
  id: Key;
  atMs: number;
}

/** What a verb of the resource API is called in the declaration of an entity that opts into it. */
export type RestVerb = "list" | "get" | "create" | "update" | "delete";

/** How an entity stands in the resource API. Left out: it does not. */
export interface RestTraits {
  /** In `/api/v1/add|update|del/{type}`: `gateway-api-key`. */
  readonly type: string;
  /** In `/api/v1/list/{plural}`: `gateway-api-keys`. */
  readonly plural: string;
  /** In `/api/v1/{path}` and `/api/v1/{path}/{id}`; `plural` when left out. */
  readonly path?: string;
  /** What a caller's grants must name to read or write it: `keys` for `keys:read` and `keys:write`. */
  readonly permission: string;
  /** `everywhere`: rows of no project that name what is of others are read only by who may read them in every project. Written they are by nobody else in any case. */
  readonly readers?: "everywhere";
  readonly verbs: readonly RestVerb[];
}

interface Declared<R> {
  readonly name: string;
  readonly table: string;
  readonly fields: Fields;
  /** The field that holds the project; null: the rows belong to no project and every scope sees them. */
  readonly scope: string | null;
  readonly unique: readonly (readonly string[])[];
  readonly indexes: readonly (readonly string[])[];
  /** Writes enter the change log, in the same transaction. */
  readonly watched: boolean;
  readonly rest: RestTraits | null;
  /** Never present: carries the row's type. */
  readonly row?: R;
}
/** Something stored in rows: `record` and `machine` rows change, `ledger` rows are only inserted, summed and pruned. */
export interface Entity<R> extends Declared<R> {
  readonly kind: "record" | "machine" | "ledger";
}
/** Something stored in ordered streams that are only appended to; every entry has `seq` and `atMs` beside these fields. */
export interface LogEntity<E> extends Declared<E> {
  readonly kind: "log";
}
export type AnyEntity = Entity<object>;
export type AnyLogEntity = LogEntity<object>;

interface Declaration<F extends Fields> {
  readonly name: string;
  readonly table: string;
  readonly fields: F;
  readonly scope: (keyof F & string) | null;
  readonly unique?: readonly (readonly (keyof F & string)[])[];
  readonly indexes?: readonly (readonly ((keyof F & string) | "createdAtMs" | "updatedAtMs" | "atMs" | "id")[])[];
  readonly watched?: boolean;
  readonly rest?: RestTraits;
}

interface Lists {
  readonly unique?: readonly (readonly string[])[];
  readonly indexes?: readonly (readonly string[])[];
}

/** Declares a record or a machine. The declaration is data: no hooks, no computed fields. */
export function defineEntity<const F extends Fields>(
  declaration: Declaration<F> & { readonly kind: "record" | "machine" },
): Entity<RowOf<F> & Kept> {
  return complete(declaration, declaration.kind);
}
/** Declares a ledger: rows that are inserted, summed and, when old, pruned. */
export function defineLedger<const F extends Fields>(declaration: Declaration<F>): Entity<RowOf<F> & Dated> {
  return complete(declaration, "ledger");
}
/** Declares a log: entries ordered by a gapless `seq` within each stream. */
export function defineLog<const F extends Fields>(declaration: Declaration<F>): LogEntity<RowOf<F>> {
  return complete(declaration, "log");
}

function complete<K extends "record" | "machine" | "ledger" | "log">(
  declaration: Omit<Declaration<Fields>, "indexes" | "unique"> & Lists,
  kind: K,
) {
  assertReferences(declaration, kind);
  return {
    kind,
    name: declaration.name,
    table: declaration.table,
    fields: declaration.fields,
    scope: declaration.scope,
    unique: declaration.unique ?? [],
    indexes: declaration.indexes ?? [],
    watched: declaration.watched ?? false,
    rest: declaration.rest ?? null,
  };
}

/** Errors, as plain ones: a declaration that no store could keep. */
function assertReferences(declaration: Pick<Declaration<Fields>, "name" | "fields"> & Lists, kind: string): void {
  const heads = [...(declaration.unique ?? []), ...(declaration.indexes ?? [])].map(([head]) => head);
  for (const [name, { ref, column }] of Object.entries(declaration.fields)) {
    if (ref === undefined) continue;
    if (kind === "log" || kind === "ledger")
      throw new Error(`${declaration.name}.${name} refers to a row: fields of logs and ledgers do not.`);
    if (column.kind !== "text" || column.maxLength !== 64)
      throw new Error(`${declaration.name}.${name} refers to a row: it is text of 64, as ids are.`);
    if (!heads.includes(name)) throw new Error(`${declaration.name}.${name} refers to a row: it has to be the head of an index.`);
  }
}

export type RowType<T> = T extends Entity<infer R> ? R : T extends LogEntity<infer E> ? E : never;
