import { storedColumns, type AnyEntity, type AnyLogEntity, type StoredColumn } from "@sallyport/core/entities";

type Stored = AnyEntity | AnyLogEntity;
/** One each three hours, the newest a day ahead: the last day, week and month are small parts of the whole. */
const INSTANT = "1000 * (unix_timestamp() + 86400 - n * 10800)";

/** What is due: eight have been, as what is swept and claimed all the time looks. */
const AHEAD = "1000 * (unix_timestamp() - 86400 + n * 10800)";

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A value for the row `n` of MariaDB's sequence: of what has few values several rows each, of what is unique each its own. */
function valueOf(entity: Stored, column: StoredColumn): string {
  const { name } = column;
  const field = entity.fields[name];
  if (name === "id") return "concat('f', n)";
  if (field?.ref !== undefined) return "concat('f', n)";
  if (name === entity.scope) return "if(n % 40 = 0, 'default', concat('p', n % 40))";
  const isUnique = entity.unique.some((fields) => fields.includes(name));
  const { column: kind } = column;
  switch (kind.kind) {
    case "json":
      return "'{}'";
    case "bool":
      return "n % 2";
    case "int":
      if (!name.endsWith("Ms")) return "n % 5";
      return /expires|until|ready|due/i.test(name) ? AHEAD : INSTANT;
    case "long-text":
      return "concat('text ', n)";
    case "text": {
      const options = (field?.schema as { readonly options?: readonly string[] } | undefined)?.options;
      if (options !== undefined && !isUnique) return `elt(1 + n % ${options.length}, ${options.map((one) => `'${one}'`).join(", ")})`;
      const length = kind.maxLength;
      return isUnique || length > 40
        ? `left(concat(${isUnique ? "n" : "n % 300"}, '-${name}'), ${length})`
        : `left(concat(n % 20, '${name}'), ${length})`;
    }
  }
}

/** The statement that puts rows of every kind into a table. */
export function fillText(entity: Stored, rows: number): string {
  const columns = storedColumns(entity);
  const own = entity.kind === "log" ? { stream: "concat('s', n div 10)", seq: "1 + n % 10", at_ms: INSTANT } : {};
  const names = [...Object.keys(own), ...columns.map(({ name }) => snake(name))].map((name) => `\`${name}\``);
  const values = [...Object.values(own), ...columns.map((column) => valueOf(entity, column))];
  return `insert ignore into \`${entity.table}\` (${names.join(", ")}) select ${values.join(", ")} from (select seq as n from seq_1_to_${rows}) as s`;
}
