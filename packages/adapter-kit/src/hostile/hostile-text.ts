import assert from "node:assert/strict";
import { allEntities, storedColumns, type AnyEntity, type Column } from "@sallyport/core/entities";
import { insert, type RecordStore } from "@sallyport/core/ports";
import fc from "fast-check";

const pieces = [
  ..."'\"`;%_?\n\u0000\\é",
  ...["--", "/*", "*/", "?1", ":a", "$1", "@p", "😀", "x'41'"],
  ...["') or 1=1 --", "'; drop table users; --", "union select"],
];
/** Texts of what ends, comments or binds something in some dialect of SQL. */
const hostile = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 }).map((list) => list.join(""));

const scope = { system: "hostile text" };
const within = () => ({ deadlineMs: Number.MAX_SAFE_INTEGER });

export interface HostileTextSubject {
  /** Empty, of all entities, and its rows may refer to nothing. */
  readonly store: RecordStore;
  /** The texts of all statements that the store has sent so far. */
  readonly texts: ReadonlySet<string>;
  /** How many rows are tried. */
  readonly runs: number;
}

/**
 * Whatever stands in whichever text of whichever entity comes back as it was, is found by it, and is no part of a statement: the texts of the statements are those of plain rows (T03). Errors: an assertion's, with the
 * row that did it.
 */
export async function assertHostileTextIsKept({ store, texts, runs }: HostileTextSubject): Promise<void> {
  const entities = allEntities.filter((entity): entity is AnyEntity => entity.kind !== "log");
  let count = 0;
  const keeps = (entity: AnyEntity, text: string): Promise<void> => assertKept(store, entity, { text, unique: String(++count) });
  for (const entity of entities) await keeps(entity, "plain");
  const plain = new Set(texts);
  assert.ok(plain.size > entities.length, "the statements are heard");
  await fc.assert(fc.asyncProperty(fc.constantFrom(...entities), hostile, keeps), { numRuns: runs });
  assert.deepEqual(
    [...texts].filter((text) => !plain.has(text)),
    [],
  );
  for (const text of texts) assert.ok(!text.includes("'"), text);
}

async function assertKept(store: RecordStore, entity: AnyEntity, o: { readonly text: string; readonly unique: string }): Promise<void> {
  const id = `id-${o.unique}`;
  const columns = storedColumns(entity).filter(({ kept, name }) => !kept && name !== "id");
  const row = Object.fromEntries(columns.map(({ name, column }) => [name, name === "atMs" ? 1 : valueOf(column, o)]));
  await store.commit([{ scope, writes: [insert(entity as never, { id, ...row } as never)] }], within());
  const read = (await store.get(entity, id, scope, within())) as Record<string, unknown> | null;
  for (const name of Object.keys(row)) assert.deepEqual(read?.[name], row[name], `${entity.name}.${name}`);
  for (const { name, column } of columns) {
    if (column.kind !== "text") continue;
    const found = await idsWith(store, entity, { [name]: row[name] });
    assert.ok(found === null || found.includes(id), `${entity.name} is not found by its ${name}`);
  }
}

/** null: no index has the field, which is refused before any statement is made. */
async function idsWith(store: RecordStore, entity: AnyEntity, where: Record<string, unknown>): Promise<readonly string[] | null> {
  try {
    const query = { where: where as never, orderBy: "id" as never, limit: 1_000 };
    const { rows } = await store.find(entity, query, scope, within());
    return (rows as { id: string }[]).map(({ id }) => id);
  } catch (error) {
    assert.equal((error as { code?: string }).code, "internal");
    return null;
  }
}

function valueOf(column: Column, { text, unique }: { readonly text: string; readonly unique: string }): unknown {
  switch (column.kind) {
    case "text":
      return unique.length >= column.maxLength
        ? unique.slice(-column.maxLength)
        : (unique + text).slice(0, column.maxLength).replace(/[\ud800-\udbff]$/, "");
    case "long-text":
      return text;
    case "int":
      return text.length;
    case "bool":
      return text.length % 2 === 0;
    case "json":
      return { [text]: [text, { "' or 1=1": text }] };
  }
}
