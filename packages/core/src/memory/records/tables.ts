import { referencesOf, type AnyEntity, type AnyLogEntity } from "../../entities/index.js";
import { Changes } from "./changes.js";
import type { StoredRow } from "./ordered-cells.js";
import { select } from "./select.js";
import { Streams } from "./streams.js";
import { Table } from "./table.js";

interface Referring {
  readonly table: Table;
  readonly field: string;
}

/** Everything that one store holds; a table is made when it is first named. */
export class Tables {
  readonly changes = new Changes();
  readonly #tables = new Map<string, Table>();
  readonly #byName = new Map<string, Table>();
  /** By the name of the entity that is referred to. A table that nobody named yet has no rows that refer. */
  readonly #referring = new Map<string, Referring[]>();
  readonly #logs = new Map<string, Streams>();
  readonly #o: { readonly ledgerRows: number };

  constructor(o: { readonly ledgerRows: number }) {
    this.#o = o;
  }

  of(entity: AnyEntity): Table {
    let table = this.#tables.get(entity.table);
    if (table === undefined) {
      table = new Table(entity, this.#o);
      this.#tables.set(entity.table, table);
      this.#byName.set(entity.name, table);
      for (const { entity: name, field } of referencesOf(entity))
        this.#referring.set(name, [...(this.#referring.get(name) ?? []), { table, field }]);
    }
    return table;
  }

  /** Whether every row that this one would refer to stands. */
  leadsSomewhere(entity: AnyEntity, row: StoredRow): boolean {
    return referencesOf(entity).every(({ entity: name, index }) => {
      const id = row[index];
      return id === null || this.#byName.get(name)?.cells.has(id as string) === true;
    });
  }

  /** Whether any row refers to this one. */
  isReferredTo(entity: AnyEntity, id: string): boolean {
    for (const { table, field } of this.#referring.get(entity.name) ?? [])
      for (const _cell of select(table, { where: { [field]: id }, scope: { system: "references" }, nowMs: 0 })) return true;
    return false;
  }

  log(log: AnyLogEntity): Streams {
    let streams = this.#logs.get(log.table);
    if (streams === undefined) {
      streams = new Streams(log);
      this.#logs.set(log.table, streams);
    }
    return streams;
  }
}
