import type { AnyEntity, AnyLogEntity } from "../../entities/index.js";
import { Changes } from "./changes.js";
import { Streams } from "./streams.js";
import { Table } from "./table.js";

/** Everything that one store holds; a table is made when it is first named. */
export class Tables {
  readonly changes = new Changes();
  readonly #tables = new Map<string, Table>();
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
    }
    return table;
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
