import { GatewayError } from "../errors/index.js";
import type { Crypto, KeptInstants } from "../ports/index.js";
import { toHex } from "../util/encoding/hex.js";
import { isObject, parseJsonText } from "../util/json.js";
import { joinBytes } from "../util/encoding/join-bytes.js";

/** The form of the file; another number is another form. */
export const BACKUP_FORMAT = 1;
/** The longest line, in bytes: a row with its largest texts. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** The first line. */
export interface BackupHeader {
  readonly sallyport: "backup";
  readonly format: number;
  /** Of the gateway that wrote it. */
  readonly version: string;
  /** When it was begun, Unix ms, by the clock of the store. */
  readonly atMs: number;
  /** Of whose rows alone it is; null: of all projects. */
  readonly project: string | null;
  readonly with: readonly string[];
  /** What follows, in this order; a name may have no rows. */
  readonly entities: readonly string[];
  /** What stays, and why. */
  readonly stays: Readonly<Record<string, string>>;
}
/** A row. Rows of one entity stand together, their ids ascending; the entries of a row's streams stand right behind it. */
export interface RowLine {
  readonly entity: string;
  readonly row: Readonly<Record<string, unknown>>;
  /** When it was made and last changed there; left out by ledgers, whose rows say it themselves, and by older files. */
  readonly kept?: KeptInstants;
  /** Names of the fields whose values stayed behind; left out: none. */
  readonly lost?: readonly string[];
}
/** An entry of a log. `seq` grows by one from entry to entry. */
export interface EntryLine {
  readonly entity: string;
  /** The id of the row before it. */
  readonly stream: string;
  readonly seq: number;
  readonly entry: Readonly<Record<string, unknown>>;
  /** When it was appended there; left out by older files. */
  readonly atMs?: number;
}
/** The last line. */
export interface BackupTrailer {
  readonly end: true;
  /** Lines by entity. */
  readonly counts: Readonly<Record<string, number>>;
  /** By entity and field: how many rows lost its value. */
  readonly lost: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** By entity: rows that did not go, and why. */
  readonly apart: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Of all lines, this one without its digest. */
  readonly sha256: string;
}
export type BackupLine = RowLine | EntryLine;

const encoder = new TextEncoder();

/**
 * A SHA-256 over lines, one after the other: of nothing it is 32 zero bytes, and each line makes the SHA-256 of what it was before and the line's bytes without its line break. So neither end
 * ever holds the file.
 */
export class LineDigest {
  readonly #crypto: Crypto;
  #now = new Uint8Array(32);

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  add(line: Uint8Array): void {
    const both = new Uint8Array(32 + line.length);
    both.set(this.#now);
    both.set(line, 32);
    this.#now = new Uint8Array(this.#crypto.sha256(both));
  }

  get hex(): string {
    return toHex(this.#now);
  }
}

export const lineBytes = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

export function broken(why: string): GatewayError {
  return new GatewayError("state_corrupt", `The backup cannot be used: ${why}.`, {
    hint: "It was cut off or changed on its way. Nothing was written; export it again, or take another copy.",
  });
}

/** The lines of a file, without their breaks. Errors: `payload_too_large` for a line past `MAX_LINE_BYTES`, before it is read whole. */
export async function* linesOf(source: AsyncIterable<Uint8Array>, maxBytes = MAX_LINE_BYTES): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let held = 0;
  const tooLong = (): GatewayError =>
    new GatewayError("payload_too_large", `A line of the backup is longer than ${maxBytes} bytes.`, {
      hint: "No row is so large: this file was not written by an export.",
    });
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      if (held + at - from > maxBytes) throw tooLong();
      const piece = chunk.subarray(from, at);
      yield parts.length === 0 ? piece : joinBytes([...parts, piece]);
      parts = [];
      held = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    held += chunk.length - from;
    if (held > maxBytes) throw tooLong();
    parts.push(chunk.slice(from));
  }
  if (parts.length > 0) yield joinBytes(parts);
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The object that a line is. Errors: `state_corrupt`. */
export function parseLine(bytes: Uint8Array, number: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJsonText(decoder.decode(bytes));
  } catch {
    throw broken(`line ${number} is not JSON`);
  }
  if (!isObject(value)) throw broken(`line ${number} is no object`);
  return value;
}
