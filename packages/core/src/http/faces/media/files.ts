import type { fileRoutes } from "../../../routes/index.js";
import type { Files, StoredFile } from "../../../seams/index.js";
import { invalid } from "../../../wire/shared/fields.js";
import { jsonAnswer } from "../../answers.js";
import type { Exchange, Handler } from "../../exchange.js";
import { decodeParam } from "../params.js";
import { readForm, type Form } from "./form.js";
import { framesAnswer } from "./media-answer.js";
import { listView, objectPage, seconds } from "./object-page.js";

const MAX_PURPOSE_LENGTH = 64;
const LONGEST_SECONDS = 2_592_000;

/** OpenAI's files. They are as large as a body may be. */
export function filesFace(files: () => Files, now: () => number): Readonly<Record<keyof typeof fileRoutes, Handler>> {
  const id = (x: Exchange): string => decodeParam(x.params, "id");
  return {
    create: async (x) => {
      const form = await readForm(x);
      const purpose = form.text("purpose");
      if (purpose.length > MAX_PURPOSE_LENGTH) throw invalid("purpose", `must have at most ${MAX_PURPOSE_LENGTH} characters`);
      const file = await form.file("file");
      const expiresAtMs = expiryOf(form, now());
      const { mediaType, bytes, filename = "file" } = file;
      return jsonAnswer(200, fileView(await files().create({ filename, purpose, mediaType, bytes, expiresAtMs }, x.caller)));
    },
    list: async (x) => {
      const purpose = new URLSearchParams(x.inbound.query).get("purpose") ?? undefined;
      const { items, hasMore } = await files().list({ ...objectPage(x, { usual: 1000, most: 1000 }), purpose }, x.caller);
      return jsonAnswer(200, listView(items.map(fileView), hasMore));
    },
    get: async (x) => jsonAnswer(200, fileView(await files().get(id(x), x.caller))),
    content: async (x) => {
      const { mediaType, chunks } = await files().content(id(x), x.caller);
      return framesAnswer(chunks, mediaType, [["content-disposition", "attachment"]]);
    },
    delete: async (x) => {
      await files().remove(id(x), x.caller);
      return jsonAnswer(200, { id: id(x), object: "file", deleted: true });
    },
  };
}

/** `expires_after[anchor]` and `expires_after[seconds]`, as a form writes an object. */
function expiryOf(form: Form, nowMs: number): number | undefined {
  const length = form.optionalInteger("expires_after[seconds]");
  const anchor = form.optionalText("expires_after[anchor]");
  if (anchor !== undefined && anchor !== "created_at") throw invalid("expires_after[anchor]", 'must be "created_at"');
  if (length === undefined) return undefined;
  if (length >= 1 && length <= LONGEST_SECONDS) return nowMs + length * 1000;
  throw invalid("expires_after[seconds]", `must be 1 to ${LONGEST_SECONDS}`);
}

function fileView(file: StoredFile) {
  return {
    ...{ id: file.id, object: "file", bytes: file.bytes, created_at: seconds(file.createdAtMs), filename: file.filename },
    ...{ purpose: file.purpose, status: "processed" },
    ...(file.expiresAtMs === null ? {} : { expires_at: seconds(file.expiresAtMs) }),
  };
}
