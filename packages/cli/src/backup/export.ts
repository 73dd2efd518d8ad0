import { createWriteStream, existsSync, renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { GatewayError, type BackupExtra, type BackupTrailer } from "@sallyport/core";
import { withGateway } from "../access/with-gateway.js";
import type { Command } from "../command.js";

export interface ExportFlags {
  /** Left out, or `-`: standard output. */
  readonly file: string | undefined;
  readonly project: string | undefined;
  /** With commas between them. */
  readonly with: string | undefined;
}

/** `export [file]`: everything of the database but its secrets; a file is there only once it is whole. */
export async function exportTo(command: Command, o: ExportFlags): Promise<number> {
  const extras = (o.with ?? "").split(",").flatMap((word) => (word.trim() === "" ? [] : [word.trim() as BackupExtra]));
  const file = o.file === undefined || o.file === "-" ? null : resolve(command.cwd, o.file);
  if (file !== null && existsSync(file))
    throw new GatewayError("bad_request", `${o.file} exists.`, {
      hint: "Name another file, or remove it first: no backup is overwritten.",
    });
  return withGateway(command, async (gateway) => {
    let trailer: BackupTrailer | null = null;
    const bytes = gateway.backups.export({
      ...(o.project === undefined ? {} : { project: o.project }),
      with: extras,
      onEnd: (end) => (trailer = end),
    });
    const source = Readable.from(bytes, { objectMode: false });
    if (file === null) await pipeline(source, process.stdout, { end: false });
    else await writeFile(source, file);
    tell(command, trailer!);
    return 0;
  });
}

/** Only its owner reads it. What broke off leaves nothing. */
async function writeFile(source: Readable, file: string): Promise<void> {
  const part = `${file}.part`;
  const target = createWriteStream(part, { mode: 0o600, flush: true });
  try {
    if (file.endsWith(".gz")) await pipeline(source, createGzip(), target);
    else await pipeline(source, target);
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

function tell({ terminal }: Command, { counts, lost, apart }: BackupTrailer): void {
  for (const [entity, count] of Object.entries(counts)) terminal.err(`${entity}\t${count}`);
  const left = Object.entries(lost).flatMap(([entity, fields]) =>
    Object.entries(fields).map(([field, rows]) => `${entity}.${field} (${rows})`),
  );
  if (left.length > 0) terminal.err(`Secrets that stay here: ${left.join(", ")}`);
  for (const [entity, reasons] of Object.entries(apart))
    for (const [why, rows] of Object.entries(reasons)) terminal.err(`${rows} of ${entity} stay here: ${why}`);
}
