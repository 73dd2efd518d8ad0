import type { Row } from "../../../routes/index.js";
import { actionOptions, actionsOf, type ResourceExchange } from "./resource-exchange.js";

/** The rows with what their domain shows beside their own fields. */
export async function shownRows(e: ResourceExchange, rows: readonly Row[]): Promise<readonly Row[]> {
  const { shown } = actionsOf(e);
  if (shown === undefined || rows.length === 0) return rows;
  const more = await shown(rows, actionOptions(e));
  return rows.map((row, i) => ({ ...row, ...more[i] }));
}

/** The same of one row. */
export async function shownRow(e: ResourceExchange, row: Row): Promise<Row> {
  return (await shownRows(e, [row]))[0]!;
}
