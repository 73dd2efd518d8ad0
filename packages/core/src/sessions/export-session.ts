import type { SessionRow } from "../entities/index.js";
import type { SessionRecords, StoredMessage } from "./session-records.js";
import { readAfter } from "./read-pages.js";
import { noSuchSession } from "./session-access.js";
import { plainText } from "./context/summarise.js";

export type ExportFormat = "json" | "markdown";

const PAGE = 500;

/**
 * The session as one document, in pieces of text; it has the messages that stood when it was begun, and never more than a page of them in memory. Errors: `not_found` in the middle of it when the session is deleted
 * meanwhile, so that nobody takes a part for the whole.
 */
export async function* exportSession(
  row: SessionRow,
  records: SessionRecords,
  format: ExportFormat,
): AsyncGenerator<string, void, undefined> {
  yield format === "json" ? jsonHead(row) : markdownHead(row);
  let separator = "";
  for (let after = 0; after < row.lastSeq; ) {
    const page = await readAfter(records, row, { after, limit: Math.min(PAGE, row.lastSeq - after) });
    const next = after + page.length;
    if (page.length === 0 || page.at(-1)?.seq !== next) throw noSuchSession(row.id);
    after = next;
    let text = "";
    for (const one of page) {
      text += format === "json" ? `${separator}\n${JSON.stringify(one)}` : markdownOf(one);
      separator = ",";
    }
    yield text;
  }
  if (format === "json") yield "\n]}\n";
}

/** What of the row is told. */
const told = [
  ...["id", "projectId", "title", "userId", "agentId", "provider", "model", "instructions", "mcp", "metadata", "parentId", "branchSeq"],
  ...["pinned", "summary", "summarySeq", "createdAtMs", "lastMessageAtMs"],
] as const satisfies readonly (keyof SessionRow)[];

function jsonHead(row: SessionRow): string {
  const session = Object.fromEntries(told.map((name) => [name, row[name]]));
  return `{"format":"sallyport-session","version":1,"session":${JSON.stringify(session)},"messages":[`;
}

function markdownHead({ title, id, model, createdAtMs, instructions }: SessionRow): string {
  const about = [`- id: ${id}`, ...(model === null ? [] : [`- model: ${model}`]), `- begun: ${new Date(createdAtMs).toISOString()}`].join(
    "\n",
  );
  const rules = instructions === null ? "" : `\n\n> ${instructions.replaceAll("\n", "\n> ")}`;
  return `# ${(title ?? "Session").replaceAll(/\s+/g, " ")}\n\n${about}${rules}\n`;
}

function markdownOf({ seq, message, model, createdAtMs }: StoredMessage): string {
  const who = model === null ? message.role : `${message.role} (${model})`;
  return `\n## ${seq}. ${who}, ${new Date(createdAtMs).toISOString()}\n\n${plainText(message)}\n`;
}
