import type { Caller } from "../../calls/index.js";
import { fileChunk } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, remove, type RecordStore, type Scope, type Within, type Write } from "../../ports/index.js";
import { decodeBase64, encodeBase64 } from "../../wire/shared/base64.js";

/** A row of two thirds of a megabyte is no trouble to any store. */
const CHUNK_BYTES = 524_288;

/** How many pieces a content of this size has. */
export function chunksOf(bytes: number): number {
  return Math.ceil(bytes / CHUNK_BYTES);
}

/** The writes that keep a content under an id; to be committed with the row that says how long it is. */
export function contentWrites(id: string, bytes: Uint8Array, projectId: string): Write[] {
  return Array.from({ length: chunksOf(bytes.length) }, (_each, at) =>
    insert(fileChunk, {
      id: `${id}_${at}`,
      projectId,
      fileId: id,
      data: encodeBase64(bytes.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES)),
    }),
  );
}

/** The writes that drop it. */
export function contentRemovals(id: string, bytes: number): Write[] {
  return Array.from({ length: chunksOf(bytes) }, (_each, at) => remove(fileChunk, `${id}_${at}`));
}

/** The content, piece by piece, each read when it is asked for. Errors, of the iteration: `state_corrupt` when a piece is missing. */
export async function* readContent(
  id: string,
  bytes: number,
  o: { readonly store: RecordStore; readonly caller: Caller; readonly within: () => Within },
): AsyncGenerator<Uint8Array> {
  const scope: Scope = { projects: o.caller.projects };
  for (let at = 0; at < chunksOf(bytes); at++) {
    const row = await o.store.get(fileChunk, `${id}_${at}`, scope, o.within());
    if (row === null) throw new GatewayError("state_corrupt", "A piece of a stored file is missing.");
    yield decodeBase64(row.data);
  }
}
