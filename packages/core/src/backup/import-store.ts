import type { BackupLine, EntryLine, RowLine } from "./backup-lines.js";
import type { ImportReport } from "./import-report.js";
import { RowImport } from "./import-rows.js";
import { ImportRun, type ImportTarget } from "./import-run.js";
import { StreamImport } from "./import-streams.js";
import { readBackup, type BackupReader } from "./read-backup.js";
import { moveRule, type Declared, type Moving } from "./what-moves.js";

export interface ImportOptions {
  /** Looks at everything and writes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Rows that stand with other content take that of the file; their secrets stay. Left out: they are refused. */
  readonly overwrite?: boolean | undefined;
  /** Only rows of this project. */
  readonly project?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the entity and its lines so far. */
  readonly onProgress?: ((entity: string, lines: number) => void) | undefined;
  /** Bytes of the longest line that is read; 64 MiB when left out. */
  readonly maxLineBytes?: number | undefined;
}
/** Opens the file anew each time it is called: it is read once to see that it is whole, and again to import it. */
export type OpenBackup = () => AsyncIterable<Uint8Array>;

/**
 * Writes the rows of a backup that are not there yet. Rows are looked at one by one: what is refused is listed and keeps no other from being written. It may be repeated and interrupted: what stands
 * with the same content is left alone. Holds a batch of rows at a time.
 * Errors: `bad_request`, `state_corrupt` and `payload_too_large` for a file that is not whole, before anything is written; those of the store.
 */
export async function importStore(target: ImportTarget, open: OpenBackup, o: ImportOptions = {}): Promise<ImportReport> {
  const reading = { crypto: target.placeholders.crypto, maxLineBytes: o.maxLineBytes };
  const { header, lines: all } = await readBackup(open(), reading);
  for await (const _line of all) o.signal?.throwIfAborted();
  const run = new ImportRun(target, {
    ...{ dryRun: o.dryRun === true, overwrite: o.overwrite === true, project: o.project ?? null },
    ...{ header, signal: o.signal },
  });
  const { lines } = await readBackup(open(), reading);
  await eachEntity({ lines, run, target, onProgress: o.onProgress });
  return run.report.done(header, o.dryRun === true);
}

interface Going {
  readonly lines: BackupReader["lines"];
  readonly run: ImportRun;
  readonly target: ImportTarget;
  readonly onProgress: ImportOptions["onProgress"];
}
/** Of large rows fewer are written at once. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Rows of one entity with the entries behind them: a batch of rows is written, then their entries. */
async function eachEntity({ lines, run, target, onProgress }: Going): Promise<void> {
  const logs = new Map<string, Taking<EntryLine>>();
  let rows: Taking<RowLine> | null = null;
  let name = "";
  let batch: BackupLine[] = [];
  let bytes = 0;
  const counts = new Map<string, number>();
  const flush = async (): Promise<void> => {
    const [before, behind] = [batch.filter((line) => "row" in line), batch.filter((line) => "entry" in line)];
    batch = [];
    bytes = 0;
    if (before.length > 0) await rows?.add(before);
    // One log's entries after the other's: each stream keeps its own order.
    for (const log of new Set(behind.map(({ entity }) => entity))) {
      if (!logs.has(log)) logs.set(log, takingEntries(log, run, target));
      await logs.get(log)!.add(behind.filter(({ entity }) => entity === log));
    }
  };
  for await (const line of lines) {
    if ("row" in line && line.entity !== name) {
      await flush();
      await rows?.end();
      name = line.entity;
      rows = takingRows(name, run, target);
    }
    batch.push(line);
    bytes += sizeOf(line);
    const count = (counts.get(line.entity) ?? 0) + 1;
    counts.set(line.entity, count);
    if (count % 1_000 === 0) onProgress?.(line.entity, count);
    if (batch.length >= 2 * run.batch || bytes > MOST_BYTES) await flush();
  }
  await flush();
  await rows?.end();
}

interface Taking<L> {
  add(lines: readonly L[]): Promise<void>;
  end(): Promise<void>;
}

/** About the size of a line: its texts. */
function sizeOf(line: BackupLine): number {
  let size = 0;
  for (const value of Object.values("row" in line ? line.row : line.entry)) if (typeof value === "string") size += value.length;
  return size;
}

function takingRows(name: string, run: ImportRun, target: ImportTarget): Taking<RowLine> {
  const entity = target.entities.find((one) => one.name === name);
  const why = whyNever(name, entity);
  if (why === null && entity !== undefined && entity.kind !== "log") return new RowImport(run, entity);
  return refusing(run, name, why ?? "its entity has no rows");
}

function takingEntries(name: string, run: ImportRun, target: ImportTarget): Taking<EntryLine> {
  const log = target.entities.find((one) => one.name === name);
  const why = whyNever(name, log);
  if (why !== null || log?.kind !== "log") return refusing(run, name, why ?? "its entity has no entries");
  const { streamOf } = moveRule(log) as Moving;
  return new StreamImport(run, log, streamOf === undefined ? undefined : run.entity(streamOf));
}

function whyNever(name: string, entity: Declared | undefined): string | null {
  if (entity === undefined) return `this version knows no ${name.slice(0, 64)}`;
  return "stays" in moveRule(entity) ? "rows of it are never moved" : null;
}

function refusing(run: ImportRun, entity: string, why: string): Taking<BackupLine> {
  const idOf = (line: BackupLine): string => ("row" in line ? (line.row["id"] as string) : line.stream).slice(0, 64);
  const refuse = (line: BackupLine): void => run.report.refuse({ entity, id: idOf(line), why });
  return { add: (lines) => Promise.resolve(lines.forEach(refuse)), end: () => Promise.resolve() };
}
