import { GatewayError } from "../errors/index.js";
import type { Crypto, KeptInstants } from "../ports/index.js";
import { isObject } from "../util/json.js";
import {
  BACKUP_FORMAT,
  broken,
  lineBytes,
  LineDigest,
  linesOf,
  parseLine,
  type BackupHeader,
  type BackupLine,
  type BackupTrailer,
  type EntryLine,
} from "./backup-lines.js";

export interface ReadOptions {
  readonly crypto: Crypto;
  readonly maxLineBytes?: number | undefined;
}
export interface BackupReader {
  readonly header: BackupHeader;
  /** What stands between the header and the trailer, once. Ends only when the trailer stands and says what was read. */
  readonly lines: AsyncIterable<BackupLine>;
}

/**
 * Reads a backup as it comes, a line at a time.
 * Errors: `bad_request` when it is none, or of another format; while it is read `state_corrupt` when it was cut off or changed, `payload_too_large`.
 */
export async function readBackup(source: AsyncIterable<Uint8Array>, o: ReadOptions): Promise<BackupReader> {
  const digest = new LineDigest(o.crypto);
  const lines = linesOf(source, o.maxLineBytes);
  const first = await lines.next();
  if (first.done === true) throw broken("it is empty");
  const header = headerOf(first.value);
  digest.add(first.value);
  return { header, lines: bodyOf(lines, header, digest) };
}

function headerOf(line: Uint8Array): BackupHeader {
  const none = new GatewayError("bad_request", "This is no backup: its first line does not say so.", {
    hint: "Give a file that `sallyport export` wrote; a compressed one ends in .gz.",
  });
  let value: Record<string, unknown>;
  try {
    value = parseLine(line, 1);
  } catch {
    throw none;
  }
  if (value["sallyport"] !== "backup") throw none;
  if (value["format"] !== BACKUP_FORMAT)
    throw new GatewayError("bad_request", `The backup is of format ${shown(value["format"])}; this version reads ${BACKUP_FORMAT}.`, {
      hint: "Import it with the version of Sallyport that wrote it, or a newer one.",
    });
  const { version, atMs, project, entities, stays } = value;
  const extras = value["with"];
  const isWhole =
    typeof version === "string" &&
    Number.isSafeInteger(atMs) &&
    (project === null || typeof project === "string") &&
    isTexts(entities) &&
    isTexts(extras) &&
    isObject(stays);
  if (!isWhole) throw broken("its first line lacks something");
  return value as unknown as BackupHeader;
}

async function* bodyOf(
  lines: AsyncGenerator<Uint8Array, void, undefined>,
  header: BackupHeader,
  digest: LineDigest,
): AsyncGenerator<BackupLine, void, undefined> {
  const order = new Order(header.entities);
  const counts = new Map<string, number>();
  let number = 1;
  for await (const bytes of lines) {
    const value = parseLine(bytes, ++number);
    if (value["end"] === true) {
      checkTrailer(value as unknown as BackupTrailer, counts, digest);
      if ((await lines.next()).done !== true) throw broken("something follows its end");
      return;
    }
    digest.add(bytes);
    const line = lineOf(value, number);
    order.check(line, number);
    counts.set(line.entity, (counts.get(line.entity) ?? 0) + 1);
    yield line;
  }
  throw broken("its end is missing");
}

function lineOf(value: Record<string, unknown>, number: number): BackupLine {
  const { entity, row, stream, seq, entry, lost, kept, atMs } = value;
  if (typeof entity === "string" && entity.length <= 64) {
    if (
      isObject(row) &&
      typeof row["id"] === "string" &&
      (lost === undefined || isTexts(lost)) &&
      (kept === undefined || areInstants(kept))
    )
      return { entity, row, ...(lost === undefined ? {} : { lost }), ...(kept === undefined ? {} : { kept }) };
    if (typeof stream === "string" && Number.isSafeInteger(seq) && isObject(entry) && (atMs === undefined || isInstant(atMs)))
      return { entity, stream, seq: seq as number, entry, ...(atMs === undefined ? {} : { atMs }) };
  }
  throw broken(`line ${number} is neither a row nor an entry`);
}

/** Entities as the header says, ids ascending, entries behind their row: so an id stands once, and nobody has to remember which were seen. */
class Order {
  readonly #places: ReadonlyMap<string, number>;
  /** Of the last row, and of the last entry behind it. */
  #row = { place: -1, id: "" };
  #entry = { place: -1, seq: 0 };

  constructor(entities: readonly string[]) {
    this.#places = new Map(entities.map((name, at) => [name, at]));
  }

  check(line: BackupLine, number: number): void {
    const place = this.#places.get(line.entity);
    if (place === undefined) throw broken(`line ${number} is of an entity that its first line does not name`);
    const isNext = "row" in line ? this.#isNextRow(place, line.row["id"] as string) : this.#isNextEntry(place, line);
    if (!isNext) throw broken(`line ${number} repeats an id, or is out of order`);
  }

  #isNextRow(place: number, id: string): boolean {
    const last = this.#row;
    this.#row = { place, id };
    this.#entry = { place: -1, seq: 0 };
    return place > last.place || (place === last.place && id > last.id);
  }

  #isNextEntry(place: number, { stream, seq }: EntryLine): boolean {
    const last = this.#entry;
    this.#entry = { place, seq };
    const isBehind = stream === this.#row.id && place > this.#row.place;
    return isBehind && (place > last.place ? seq >= 1 : place === last.place && seq === last.seq + 1);
  }
}

function checkTrailer(trailer: BackupTrailer, counts: ReadonlyMap<string, number>, digest: LineDigest): void {
  if (!isObject(trailer.counts)) throw broken("its last line lacks something");
  const told = Object.entries(trailer.counts);
  const isCounted = told.length === counts.size && told.every(([name, count]) => counts.get(name) === count);
  if (!isCounted) throw broken("rows are missing");
  const { sha256, ...rest } = trailer;
  digest.add(lineBytes(rest));
  if (sha256 !== digest.hex) throw broken("its SHA-256 is another");
}

function isInstant(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
function areInstants(value: unknown): value is KeptInstants {
  return isObject(value) && isInstant(value["createdAtMs"]) && isInstant(value["updatedAtMs"]);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : "that is none";
}
