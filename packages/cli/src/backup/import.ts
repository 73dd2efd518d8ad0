import { createReadStream, existsSync } from "node:fs";
import { resolve } from "node:path";
import { createGunzip } from "node:zlib";
import { GatewayError, type ImportReport } from "@sallyport/core";
import { withGateway } from "../access/with-gateway.js";
import type { Command } from "../command.js";

export interface ImportFlags {
  readonly file: string | undefined;
  readonly project: string | undefined;
  readonly dryRun: boolean;
  readonly overwrite: boolean;
}

/** `import <file>`: writes what is not there yet, and lists what it cannot. Exit code 1 when rows were refused. */
export async function importFrom(command: Command, o: ImportFlags): Promise<number> {
  const file = resolve(command.cwd, o.file ?? "");
  if (o.file === undefined || !existsSync(file))
    throw new GatewayError("bad_request", o.file === undefined ? "A file is to be named." : `There is no file ${o.file}.`, {
      hint: "sallyport import backup.ndjson.gz --dry-run",
    });
  return withGateway(command, async (gateway) => {
    const { dryRun, overwrite, project } = o;
    const report = await gateway.backups.import(() => opened(file), {
      ...{ dryRun, overwrite },
      ...(project === undefined ? {} : { project }),
      onProgress: (entity, lines) => {
        if (lines % 10_000 === 0) command.terminal.err(`${entity}\t${lines} …`);
      },
    });
    tell(command, report);
    return report.entities.some(({ refused }) => refused > 0) ? 1 : 0;
  });
}

/** Errors: `state_corrupt` for a compressed file that does not unpack. */
async function* opened(file: string): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = createReadStream(file);
  if (!file.endsWith(".gz")) return yield* bytes as AsyncIterable<Uint8Array>;
  const unpacked = createGunzip();
  bytes.on("error", (error) => unpacked.destroy(error));
  try {
    yield* bytes.pipe(unpacked) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw new GatewayError("state_corrupt", "The backup cannot be used: it does not unpack.", {
      hint: "It was cut off or changed on its way, or is not compressed although its name ends in .gz.",
      cause,
    });
  } finally {
    bytes.destroy();
  }
}

function tell({ terminal }: Command, { dryRun, entities, refused, dropped, secrets }: ImportReport): void {
  if (dryRun) terminal.err("A dry run: nothing is written.");
  terminal.out(["entity", "created", "same", "overwritten", "refused", "elsewhere"].join("\t"));
  for (const { entity, created, same, overwritten, refused: not, elsewhere } of entities)
    terminal.out([entity, created, same, overwritten, not, elsewhere].join("\t"));
  for (const { entity, id, why } of refused) terminal.err(`refused: ${entity} ${id}: ${why}`);
  for (const { entity, id, field, to } of dropped)
    terminal.err(`left out: ${field} of ${entity} ${id}, which led to ${to}, and that is not there`);
  for (const { entity, field, rows, then } of secrets)
    terminal.err(`${rows} ${rows === 1 ? "row" : "rows"} without ${entity}.${field}: ${then}`);
}
