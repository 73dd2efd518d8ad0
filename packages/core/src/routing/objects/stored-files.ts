import type { Caller } from "../../calls/index.js";
import type { VendorObjectRow } from "../../entities/index.js";
import type { Files, NewFile, ObjectContent, ObjectList, ObjectPage, Services, StoredFile } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { collectBytes } from "../../util/encoding/join-bytes.js";
import { cutText, toWellFormed } from "../../util/well-formed.js";
import { contentRemovals, contentWrites, readContent } from "./file-contents.js";
import { storedCaller, type ObjectRecords } from "./object-records.js";

/** What the row of a file says that no other has. */
interface FileData {
  readonly filename: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** The batch whose results it is, and which of them: its lines are read from there. */
  readonly from?: { readonly batchId: string; readonly ok: boolean };
}

/** How the results of a batch become a file. */
export type ResultLines = (batchId: string, o: { readonly ok: boolean; readonly projectId: string }) => AsyncIterable<Uint8Array>;

/** Files, kept by the gateway itself: a vendor gets a copy when it needs one, so that an id means the same whichever vendor answers. */
export class StoredFiles implements Files {
  readonly #services: Services;
  readonly #records: ObjectRecords;
  readonly #resultLines: ResultLines;

  constructor(services: Services, o: { readonly records: ObjectRecords; readonly resultLines: ResultLines }) {
    this.#services = services;
    this.#records = o.records;
    this.#resultLines = o.resultLines;
  }

  async create(file: NewFile, caller: Caller): Promise<StoredFile> {
    const id = newId("file");
    const data: FileData = { filename: cutText(file.filename, 255), mediaType: cutText(file.mediaType, 200), bytes: file.bytes.length };
    const { row } = await this.#records.create(
      {
        ...{ id, projectId: caller.projects[0], kind: "file", purpose: toWellFormed(file.purpose), status: "succeeded" },
        ...{ caller: storedCaller(caller), data: { ...data }, expiresAtMs: file.expiresAtMs ?? null },
      },
      contentWrites(id, file.bytes, caller.projects[0]),
    );
    return view(row);
  }

  async get(id: string, caller: Caller): Promise<StoredFile> {
    return view(await this.#records.get(id, "file", caller));
  }

  async list(page: ObjectPage & { readonly purpose?: string | undefined }, caller: Caller): Promise<ObjectList<StoredFile>> {
    const { items, hasMore } = await this.#records.list("file", page, caller);
    return { items: items.map(view), hasMore };
  }

  async content(id: string, caller: Caller): Promise<ObjectContent> {
    const row = await this.#records.get(id, "file", caller);
    const { mediaType, bytes, from } = dataOf(row);
    const { store } = this.#services;
    const chunks =
      from === undefined
        ? readContent(row.id, bytes, { store, caller, within: () => this.#records.within() })
        : this.#resultLines(from.batchId, { ok: from.ok, projectId: row.projectId });
    return { mediaType, chunks };
  }

  /** The whole of it. */
  async bytes(id: string, caller: Caller): Promise<Uint8Array> {
    return collectBytes((await this.content(id, caller)).chunks);
  }

  async remove(id: string, caller: Caller): Promise<void> {
    const row = await this.#records.get(id, "file", caller);
    const { bytes, from } = dataOf(row);
    await this.#records.remove(row, from === undefined ? contentRemovals(row.id, bytes) : []);
  }
}

function dataOf(row: Pick<VendorObjectRow, "data">): FileData {
  return row.data as unknown as FileData;
}

function view(row: VendorObjectRow): StoredFile {
  const { filename, bytes } = dataOf(row);
  return { id: row.id, filename, purpose: row.purpose, bytes, createdAtMs: row.createdAtMs, expiresAtMs: row.expiresAtMs };
}
