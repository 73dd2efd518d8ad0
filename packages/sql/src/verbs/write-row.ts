import { columnIndex, storedColumns, type AnyEntity } from "@sallyport/core/entities";
import {
  decodeRow,
  type EncodedChange,
  type EncodedInsert,
  type EncodedRemove,
  type EncodedUpdate,
  type StoredInput,
  type UnitResult,
} from "@sallyport/core/ports";
import { sql } from "kysely";
import type { Work } from "../driver.js";
import { allColumns, ref, table } from "../statements/columns.js";
import { and, inProjects, projectsOf, pushScope, pushWhere, scopeSql, whereSql, type Fragment } from "../statements/conditions.js";
import { inputSql, type Inputs } from "../statements/inputs.js";
import { clockShape, rowParameters, rowSql, storedInput } from "../statements/row-values.js";
import { bind, type Build, type Slots, type Template } from "../statements/statements.js";
import { noteChange } from "./change-log.js";
import { inputsOf, type Context, type UnitContext } from "./context.js";
import { getValues } from "./find-rows.js";
import { goesTogether, insertPending } from "./insert-rows.js";

export type Refusal = Omit<Extract<UnitResult, { ok: false }>, "ok" | "failed">;
export interface Applied {
  readonly version: number;
  readonly firstSeq?: number;
  readonly skipped?: true;
}

export const missing: Refusal = { why: "missing", current: null };
const storeNow = { storeNowPlusMs: 0 };
const MAX = Number.MAX_SAFE_INTEGER;

function insertText(c: Context, write: EncodedInsert): Build {
  const { entity, values } = write;
  return (slots) => {
    const row = rowSql(c, storedColumns(entity), values, slots);
    return c.statements.dialect.insertOrNothing(sql`insert into ${table(entity)} (${allColumns(entity)}) values (${row})`, "id");
  };
}

function insertTemplate(c: Context, write: EncodedInsert): Template {
  const { statements } = c;
  const shape = clockShape(c, write.values) + (write.isDated ? "dated" : "");
  if (shape === "")
    return (
      statements.inserts.get(write.entity) ??
      statements.keep(statements.inserts, write.entity, statements.compile("nothing", insertText(c, write)))
    );
  const key = `insert ${write.entity.table} ${shape}`;
  return statements.find(key) ?? statements.add(key, "nothing", insertText(c, write));
}

export function* insertRow(c: UnitContext, write: EncodedInsert): Work<Applied | Refusal> {
  const { entity } = write;
  if (entity.scope !== null && !inProjects(entity, write.values[columnIndex(entity, entity.scope)], c.scope)) return missing;
  if (!goesTogether(c, write)) {
    yield* insertPending(c, write);
    const { changes, orphan } = yield bind(insertTemplate(c, write), rowParameters(c, storedColumns(entity), write.values));
    if (orphan) return missing;
    if (changes === 0) {
      if (write.ifTaken === "skip") return { version: 0, skipped: true };
      return yield* takenBy(c, entity, write.values, null);
    }
  }
  if (entity.kind === "ledger") return { version: 0 };
  if (entity.watched) noteChange(c, entity.name, write.id, 1);
  return { version: 1 };
}

/** Who holds the id or a unique value of a row that could not be written. `except`: the row itself, when it was to be changed. */
function* takenBy(c: UnitContext, entity: AnyEntity, values: readonly unknown[], except: string | null): Work<Refusal> {
  const constraints = except === null ? [["id"], ...entity.unique] : entity.unique;
  for (const fields of constraints) {
    const inputs = inputsOf(c);
    const wanted = fields.map((name) => values[columnIndex(entity, name)] as StoredInput);
    if (wanted.includes(null)) continue;
    for (const value of wanted) inputs.push(value);
    inputs.push(except ?? "");
    const key = `holder ${entity.table} ${fields.join(",")}`;
    const { rows } = yield c.statements.query(key, inputs.values, "one", (slots) => {
      const same = fields.map((name) => sql`${ref(name)} = ${slots.next()}`);
      return sql`select ${allColumns(entity)} from ${table(entity)} where ${and(same)} and ${ref("id")} <> ${slots.next()}`;
    });
    const holder = rows[0];
    if (holder === undefined) continue;
    const seen = entity.scope === null || inProjects(entity, holder[columnIndex(entity, entity.scope)], c.scope);
    return { why: "taken", current: seen ? decodeRow(entity, holder) : null };
  }
  return { why: "taken", current: null };
}

type Guarded = EncodedUpdate | EncodedRemove;

/** Pushes id, scope, guard and version; `guardSql` walks in the same order. */
function pushGuard(c: UnitContext, write: Guarded, inputs: Inputs): string {
  inputs.push(write.id);
  let key = pushScope(projectsOf(write.entity, c.scope), inputs) + pushWhere(write.entity, write.where, inputs);
  if (write.ifVersion !== undefined) {
    inputs.push(write.ifVersion);
    key += " v";
  }
  return key;
}

function guardSql(c: UnitContext, write: Guarded, slots: Slots): Fragment[] {
  const { entity } = write;
  return [
    sql`${ref("id")} = ${slots.next()}`,
    ...scopeSql(entity, projectsOf(entity, c.scope), slots),
    ...whereSql(entity, write.where, slots, c.clock),
    ...(write.ifVersion === undefined ? [] : [sql`${ref("version")} = ${slots.next()}`]),
  ];
}

/** Why a guarded write met no row. */
function* whyRefused(c: UnitContext, write: Guarded): Work<Refusal> {
  const values = yield* getValues(c, write.entity, write.id, c.scope);
  if (values === null) return missing;
  const row = decodeRow(write.entity, values);
  return { why: write.ifVersion !== undefined && row["version"] !== write.ifVersion ? "version" : "guard", current: row };
}

/** A row that met its guard and that others refer to. */
function* whyKept(c: UnitContext, write: Guarded): Work<Refusal> {
  const values = yield* getValues(c, write.entity, write.id, c.scope);
  return values === null ? missing : { why: "guard", current: decodeRow(write.entity, values) };
}

/** Pushes what a change sets and adds; `changeSql` walks in the same order. */
export function pushChange(c: Context, change: EncodedChange, inputs: Inputs): string {
  let key = "";
  for (const [column, value] of change.set) key += `,${column.name}${inputs.push(storedInput(c, column, value))}`;
  for (const [column, delta] of change.add) {
    key += `,${column.name}+`;
    inputs.push(delta);
  }
  if (change.moves) key += `!${inputs.push(storeNow)}`;
  return key;
}

/** `tells`: the answer tells the version that the one row got, if the dialect can. */
export function changeSql(c: Context, change: EncodedChange, slots: Slots, tells = false): Fragment {
  const { telling } = c.statements.dialect;
  const told = (version: Fragment): Fragment => (tells && telling !== undefined ? telling(version) : version);
  const all = change.set.map(([column, value]) => sql`${ref(column.name)} = ${inputSql(value, slots, c.clock)}`);
  for (const [column] of change.add) all.push(sql`${ref(column.name)} = ${ref(column.name)} + ${slots.next()}`);
  const version = ref("version");
  if (change.moves)
    all.push(sql`${ref("updatedAtMs")} = ${inputSql(storeNow, slots, c.clock)}`, sql`${version} = ${told(sql`${version} + 1`)}`);
  else if (tells && telling !== undefined) all.push(sql`${version} = ${told(version)}`);
  return sql.join(all);
}

/** Holds while no number leaves the safe integers. */
function boundsSql(change: EncodedChange, slots: Slots): Fragment[] {
  return change.add.map(([column]) => sql`coalesce(${ref(column.name)} + ${slots.next()}, 0) between ${sql.lit(-MAX)} and ${sql.lit(MAX)}`);
}

function updateText(c: UnitContext, write: EncodedUpdate): Build {
  return (slots) => {
    const change = changeSql(c, write, slots, write.ifVersion === undefined);
    const guard = [...guardSql(c, write, slots), ...boundsSql(write, slots)];
    return sql`update ${table(write.entity)} set ${change} where ${and(guard)}`;
  };
}

export function* updateRow(c: UnitContext, write: EncodedUpdate): Work<Applied | Refusal> {
  const { entity } = write;
  const moved = write.set.find(([column]) => column.name === entity.scope);
  if (moved !== undefined && !inProjects(entity, moved[1], c.scope)) return missing;
  if (write.set.length === 0 && write.add.length === 0) return yield* checkGuard(c, write);
  const inputs = inputsOf(c);
  const key = `update ${entity.table} ${pushChange(c, write, inputs)} ${pushGuard(c, write, inputs)}`;
  for (const [, delta] of write.add) inputs.push(delta);
  const answer = yield bind(c.statements.find(key) ?? c.statements.add(key, "nothing", updateText(c, write)), inputs.values);
  if (answer.taken) return yield* takenByUpdate(c, write);
  if (answer.orphan) return missing;
  if (answer.changes === 0) return yield* whyRefused(c, write);
  const version =
    write.ifVersion === undefined ? (answer.told ?? 0) || (yield* versionOf(c, entity, write.id)) : write.ifVersion + Number(write.moves);
  if (write.moves && entity.watched) noteChange(c, entity.name, write.id, version);
  return { version };
}

const versionText =
  (entity: AnyEntity): Build =>
  (slots) =>
    sql`select ${ref("version")} from ${table(entity)} where ${ref("id")} = ${slots.next()}`;

/** Asked apart where the update does not tell: `returning` costs twice as much on SQLite, and MySQL has none. */
function* versionOf(c: Context, entity: AnyEntity, id: string): Work<number> {
  const { statements } = c;
  const template =
    statements.versions.get(entity) ?? statements.keep(statements.versions, entity, statements.compile("one", versionText(entity)));
  const { rows } = yield bind(template, [id]);
  return rows[0]?.[0] as number;
}

/** An update of nothing: only whether its guard holds, kept so by a lock until the unit is done. */
function* checkGuard(c: UnitContext, write: EncodedUpdate): Work<Applied | Refusal> {
  const inputs = inputsOf(c);
  const key = `guard ${write.entity.table} ${pushGuard(c, write, inputs)}`;
  const { rows } = yield c.statements.query(key, inputs.values, "one", (slots) => {
    const guard = and(guardSql(c, write, slots));
    return sql`select ${ref("version")} from ${table(write.entity)} where ${guard}${sql.raw(c.statements.dialect.lockAndWait)}`;
  });
  const row = rows[0];
  return row === undefined ? yield* whyRefused(c, write) : { version: row[0] as number };
}

function* takenByUpdate(c: UnitContext, write: EncodedUpdate): Work<Refusal> {
  const before = yield* getValues(c, write.entity, write.id, c.scope);
  if (before === null) return missing;
  const after = [...before];
  for (const [column, value] of write.set) after[column.index] = value;
  for (const [column, delta] of write.add) after[column.index] = (after[column.index] as number) + delta;
  return yield* takenBy(c, write.entity, after, write.id);
}

export function* removeRow(c: UnitContext, write: EncodedRemove): Work<Applied | Refusal> {
  const { entity } = write;
  const inputs = inputsOf(c);
  const key = `remove ${entity.table} ${pushGuard(c, write, inputs)}`;
  const { changes, orphan } = yield c.statements.query(
    key,
    inputs.values,
    "nothing",
    (slots) => sql`delete from ${table(entity)} where ${and(guardSql(c, write, slots))}`,
  );
  if (orphan) return yield* whyKept(c, write);
  if (changes === 0) return yield* whyRefused(c, write);
  if (entity.watched) noteChange(c, entity.name, write.id, 0);
  return { version: 0 };
}
