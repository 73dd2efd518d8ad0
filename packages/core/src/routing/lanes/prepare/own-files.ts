import type { Caller, MediaPart, ModelCall } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { ObjectContent, Services } from "../../../seams/index.js";
import { ByteWord } from "../../../util/encoding/byte-word.js";
import { encodeBase64 } from "../../../wire/shared/base64.js";
import { mapMedia } from "../../../wire/shared/adapt/url-media.js";
import { collectBytes } from "../../../util/encoding/join-bytes.js";

/** A file that its caller keeps with the gateway. Errors: `not_found` when there is none that the caller may see. */
export type ReadFile = (id: string, caller: Caller) => Promise<ObjectContent & { readonly filename: string }>;

export function fileReader(services: Pick<Services, "seams">): ReadFile {
  return async (id, caller) => {
    const { files } = services.seams.objects.get();
    const { filename } = await files.get(id, caller);
    return { filename, ...(await files.content(id, caller)) };
  };
}

/** Ids as `newId("file")` makes them. Vendors' are longer, shorter, or have capitals. */
const OWN_ID = /^file_[0-9a-z]{24}$/;
const ID_LENGTH = "file_".length + 24;
const MARK = new ByteWord('"file_');

/** What a name says of what is inside, where whoever sent the file said nothing. */
const types: Readonly<Record<string, string>> = {
  ...{ pdf: "application/pdf", txt: "text/plain", md: "text/markdown", csv: "text/csv", html: "text/html", json: "application/json" },
  ...{ png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp" },
  ...{ mp3: "audio/mpeg", wav: "audio/wav", mp4: "video/mp4" },
};

/** Whether a request may name a file that is kept here; such a request cannot go to a vendor as it is. */
export function namesOwnFile(bytes: Uint8Array): boolean {
  for (let at = MARK.indexIn(bytes); at >= 0; at = MARK.indexIn(bytes, at + 1)) {
    const end = at + 1 + ID_LENGTH;
    if (bytes[end] === 0x22 && OWN_ID.test(new TextDecoder().decode(bytes.subarray(at + 1, end)))) return true;
  }
  return false;
}

/**
 * The call with files that are kept here as the bytes that they hold: a vendor knows nothing of our ids, and so the same id is good for every vendor. Other ids are the vendor's
 * own and stay. Errors: `not_found` naming the field, for an id of ours that its caller may not see.
 */
export async function withOwnFiles(call: ModelCall, caller: Caller, read: ReadFile): Promise<ModelCall> {
  let wanted: Map<string, string> | null = null;
  mapMedia(call.messages, (part, field) => {
    if (part.source.kind === "file" && OWN_ID.test(part.source.id) && wanted?.has(part.source.id) !== true)
      (wanted ??= new Map()).set(part.source.id, field);
    return part;
  });
  const ids: ReadonlyMap<string, string> | null = wanted;
  if (ids === null) return call;
  const found = new Map<string, Pick<MediaPart, "mediaType" | "filename" | "source">>();
  for (const [id, field] of ids as ReadonlyMap<string, string>) found.set(id, await readOwn({ id, field }, caller, read));
  const messages = mapMedia(call.messages, (part) => {
    const file = part.source.kind === "file" ? found.get(part.source.id) : undefined;
    return file === undefined ? part : { ...part, ...file, filename: part.filename ?? file.filename };
  });
  return { ...call, messages };
}

async function readOwn({ id, field }: { readonly id: string; readonly field: string }, caller: Caller, read: ReadFile) {
  try {
    const { mediaType, filename, chunks } = await read(id, caller);
    const data = encodeBase64(await collectBytes(chunks));
    return { mediaType: typeOf(mediaType, filename), filename, source: { kind: "base64", data } as const };
  } catch (error) {
    if (!GatewayError.is(error, "not_found")) throw error;
    throw new GatewayError("not_found", `There is no file "${id}" that this key may see.`, {
      hint: "It may be of another project, or gone: upload it again.",
      details: { param: field },
    });
  }
}

function typeOf(said: string, filename: string): string {
  const type = said.split(";")[0]!.trim().toLowerCase();
  if (type !== "" && type !== "application/octet-stream") return type;
  return types[filename.split(".").at(-1)!.toLowerCase()] ?? "application/octet-stream";
}
