import type { AnyEntity, AnyLogEntity } from "@sallyport/core/entities";
import { fieldTest, type Scope, type StoredInput } from "@sallyport/core/ports";
import { sql, type RawBuilder } from "kysely";
import { columnName } from "./column-name.js";
import { inputSql, type Inputs } from "./inputs.js";
import type { Slots } from "./statements.js";

type Conditions = Readonly<Record<string, unknown>>;
export type Fragment = RawBuilder<unknown>;

const never = sql`1 = 0`;

export const and = (all: readonly Fragment[]): Fragment => (all.length === 0 ? sql`1 = 1` : sql.join(all, sql` and `));

/** A list grown to a power of two by repeating its last: a few texts serve lists of every length. */
export function padded<V>(values: readonly V[]): readonly V[] {
  if (values.length < 2) return values;
  const length = 2 ** Math.ceil(Math.log2(values.length));
  const last = values[values.length - 1] as V;
  return length === values.length ? values : [...values, ...new Array<V>(length - values.length).fill(last)];
}

const signs = { eq: sql`=`, lt: sql`<`, lte: sql`<=`, gt: sql`>`, gte: sql`>=` } as const;

/** Pushes what the conditions compare with and gives their part of the key. `whereSql` walks in the same order. */
export function pushWhere(entity: AnyEntity, where: Conditions | undefined, inputs: Inputs): string {
  let key = "";
  for (const name in where) {
    if (name === "any") {
      key += "(";
      for (const alternative of where[name] as readonly Conditions[]) key += `${pushWhere(entity, alternative, inputs)}|`;
      key += ")";
      continue;
    }
    const test = fieldTest(entity, name, where[name]);
    key += `&${name} ${test.op}`;
    if (test.op === "null") continue;
    if (test.op !== "in") {
      key += inputs.push(test.value as StoredInput);
      continue;
    }
    const values = padded(test.values);
    key += values.length;
    for (const value of values) key += inputs.push(value as StoredInput);
  }
  return key;
}

export function whereSql(entity: AnyEntity, where: Conditions | undefined, slots: Slots, clock: string | null): Fragment[] {
  const all: Fragment[] = [];
  for (const name in where) {
    if (name === "any") {
      const alternatives = (where[name] as readonly Conditions[]).map((one) => sql`(${and(whereSql(entity, one, slots, clock))})`);
      all.push(alternatives.length === 0 ? never : sql`(${sql.join(alternatives, sql` or `)})`);
      continue;
    }
    const column = sql.ref(columnName(name));
    const test = fieldTest(entity, name, where[name]);
    if (test.op === "null") all.push(sql`${column} is null`);
    else if (test.op === "in") {
      const values = padded(test.values).map((value) => inputSql(value as StoredInput, slots, clock));
      all.push(values.length === 0 ? never : sql`${column} in (${sql.join(values)})`);
    } else all.push(sql`${column} ${signs[test.op]} ${inputSql(test.value as StoredInput, slots, clock)}`);
  }
  return all;
}

/** The projects that a scope sees of this entity; null: all. */
export function projectsOf(entity: AnyEntity | AnyLogEntity, scope: Scope): readonly string[] | null {
  return entity.scope === null || "system" in scope ? null : scope.projects;
}

export function pushScope(projects: readonly string[] | null, inputs: Inputs): string {
  if (projects === null) return "*";
  const all = padded(projects);
  for (const project of all) inputs.push(project);
  return `#${all.length}`;
}

export function scopeSql(entity: AnyEntity | AnyLogEntity, projects: readonly string[] | null, slots: Slots): Fragment[] {
  if (projects === null || entity.scope === null) return [];
  const column = sql.ref(columnName(entity.scope));
  const all = padded(projects).map(() => sql`${slots.next()}`);
  if (all.length === 0) return [never];
  return [all.length === 1 ? sql`${column} = ${all[0]}` : sql`${column} in (${sql.join(all)})`];
}

export function inProjects(entity: AnyEntity | AnyLogEntity, project: unknown, scope: Scope): boolean {
  return entity.scope === null || "system" in scope || scope.projects.includes(project as string);
}
