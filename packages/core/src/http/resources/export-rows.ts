import type { HttpAnswer } from "../../calls/index.js";
import { toView, viewSchema, type Row } from "../../routes/index.js";
import { csvLine } from "./csv.js";
import { allRows, type ListQuery } from "./rows/list-rows.js";
import { shownRows } from "./rows/shown-rows.js";
import type { ResourceExchange } from "./rows/resource-exchange.js";

const encoder = new TextEncoder();
const ignore = (): void => undefined;

/** Which file the request wants: its `format`, or what it accepts; null: a page. */
export function exportFormat(query: ListQuery, accept: string | undefined): "csv" | "json" | null {
  const { format } = query;
  if (format === "csv" || format === "json") return format;
  return accept !== undefined && /^\s*text\/csv\s*(?:;|,|$)/i.test(accept) ? "csv" : null;
}

/**
 * Every row as one file, a page of the store at a time: the whole is never held. The first page is read before the answer begins, so that what is refused has its status; a failure after that breaks the
 * connection, so that nobody takes half a file for a whole one.
 */
export async function exportRows(e: ResourceExchange, query: ListQuery, format: "csv" | "json"): Promise<HttpAnswer> {
  const pages = allRows(e, query);
  const first = await pages.next();
  const frames = format === "csv" ? csvOf(e, first, pages) : jsonOf(e, first, pages);
  const headers: [string, string][] = [
    ["content-type", format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/json"],
    ["content-disposition", `attachment; filename="${e.resource.traits.plural}.${format}"`],
    ["cache-control", "no-store"],
    ["x-content-type-options", "nosniff"],
  ];
  return { status: 200, headers, body: { kind: "frames", frames }, done: ignore };
}

type Pages = AsyncGenerator<readonly Row[], void, undefined>;
type First = IteratorResult<readonly Row[], void>;

async function* csvOf(e: ResourceExchange, first: First, pages: Pages): AsyncGenerator<Uint8Array, void, undefined> {
  const { entity } = e.resource;
  const columns = Object.keys(viewSchema(entity).shape);
  yield encoder.encode(csvLine(columns));
  for (let page = first; page.done !== true; page = await pages.next()) {
    const lines = (await shownRows(e, page.value)).map((row) => {
      const view = toView(entity, row);
      return csvLine(columns.map((column) => view[column]));
    });
    if (lines.length > 0) yield encoder.encode(lines.join(""));
  }
}

async function* jsonOf(e: ResourceExchange, first: First, pages: Pages): AsyncGenerator<Uint8Array, void, undefined> {
  let separator = "[\n";
  for (let page = first; page.done !== true; page = await pages.next()) {
    let text = "";
    for (const row of await shownRows(e, page.value)) {
      text += `${separator}${JSON.stringify(toView(e.resource.entity, row))}`;
      separator = ",\n";
    }
    if (text !== "") yield encoder.encode(text);
  }
  yield encoder.encode(separator === "[\n" ? "[]\n" : "\n]\n");
}
