import type { RawBuilder } from "kysely";
import type { SqlDialect } from "../dialect.js";
import type { Query, SqlValue, Statement } from "../driver.js";

/** Stands for the parameter that is given at this place of the inputs. */
class Slot {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

/** Gives the slots of a statement in the order in which its inputs are pushed. */
export class Slots {
  #next = 0;
  next(): Slot {
    return new Slot(this.#next++);
  }
}

/** The text of a shape, and how its parameters are filled. */
export interface Template {
  readonly statement: Statement;
  /** For each parameter of the text, which input it is; null: as they come. */
  readonly order: readonly number[] | null;
}
export type Build = (slots: Slots) => RawBuilder<unknown>;

const MAX_TEMPLATES = 2000;

/** SQL texts by shape: each is built once, by Kysely, when a query of that shape is first asked. */
export class Statements {
  readonly dialect: SqlDialect;
  /** By entity, for the texts that depend on nothing else: a row written costs no key. */
  readonly inserts = new Map<object, Template>();
  readonly appends = new Map<object, Template>();
  readonly newest = new Map<object, Template>();
  readonly versions = new Map<object, Template>();
  readonly #keyed = new Map<string, Template>();

  constructor(dialect: SqlDialect) {
    this.dialect = dialect;
  }

  /** `key` says all that the text depends on; `build` is called when it is new. */
  query(key: string, inputs: readonly SqlValue[], gives: Statement["gives"], build: Build): Query {
    return bind(this.#keyed.get(key) ?? this.add(key, gives, build), inputs);
  }

  find(key: string): Template | undefined {
    return this.#keyed.get(key);
  }

  add(key: string, gives: Statement["gives"], build: Build): Template {
    if (this.#keyed.size >= MAX_TEMPLATES) this.#keyed.clear();
    const template = this.compile(gives, build);
    this.#keyed.set(key, template);
    return template;
  }

  /** For what is kept in one of the maps by entity. */
  keep(map: Map<object, Template>, of: object, template: Template): Template {
    map.set(of, template);
    return template;
  }

  compile(gives: Statement["gives"], build: Build): Template {
    const { sql, parameters } = build(new Slots()).compile(this.dialect.kysely);
    const order = parameters.map((parameter) => (parameter as Slot).index);
    const inOrder = order.every((index, i) => index === i);
    return { statement: { sql, gives }, order: inOrder ? null : order };
  }
}

export function bind(template: Template, inputs: readonly SqlValue[]): Query {
  const { statement, order } = template;
  return { statement, parameters: order === null ? inputs : order.map((index) => inputs[index] as SqlValue) };
}
