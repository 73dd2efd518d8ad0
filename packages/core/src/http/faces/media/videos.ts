import type { MediaBytes, VideoCall } from "../../../calls/index.js";
import type { videoRoutes } from "../../../routes/index.js";
import type { StoredVideo, Videos } from "../../../seams/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import { decodeBase64 } from "../../../wire/shared/base64.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { readDataUrl } from "../../../wire/shared/data-url.js";
import { Fields, invalid, unsupported } from "../../../wire/shared/fields.js";
import { jsonAnswer, jsonBytesAnswer } from "../../answers.js";
import { callOptions, type Exchange, type Handler } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";
import { decodeParam } from "../params.js";
import { isForm, readForm } from "./form.js";
import { framesAnswer } from "./media-answer.js";
import { listView, objectPage, seconds } from "./object-page.js";

const MAX_KEY_LENGTH = 200;

/** OpenAI's videos, over whichever vendor makes them. */
export function videosFace(videos: () => Videos): Readonly<Record<keyof typeof videoRoutes, Handler>> {
  const id = (x: Exchange): string => decodeParam(x.params, "id");
  return {
    create: async (x) => {
      const idempotencyKey = keyOf(x);
      const call = isForm(x) ? await ofForm(x) : await ofJson(x);
      const { video, headers } = await videos().begin(call, { ...callOptions(x), idempotencyKey });
      return jsonBytesAnswer(utf8(JSON.stringify(videoView(video))), headers);
    },
    list: async (x) => {
      const { items, hasMore } = await videos().list(objectPage(x, { usual: 20, most: 100 }), x.caller);
      return jsonAnswer(200, listView(items.map(videoView), hasMore));
    },
    get: async (x) => jsonAnswer(200, videoView(await videos().get(id(x), callOptions(x)))),
    content: async (x) => {
      const variant = new URLSearchParams(x.inbound.query).get("variant");
      if (variant !== null && variant !== "video") throw unsupported("variant", 'must be "video": no vendor makes another one');
      const { mediaType, chunks } = await videos().content(id(x), callOptions(x));
      return framesAnswer(chunks, mediaType, []);
    },
    cancel: async (x) => jsonAnswer(200, videoView(await videos().cancel(id(x), callOptions(x)))),
    delete: async (x) => {
      await videos().remove(id(x), callOptions(x));
      return jsonAnswer(200, { id: id(x), object: "video.deleted", deleted: true });
    },
  };
}

/** Errors: `validation_failed` for one that is too long. */
export function keyOf(x: Exchange): string | undefined {
  const key = x.inbound.header("idempotency-key");
  if (key !== undefined && (key === "" || key.length > MAX_KEY_LENGTH))
    throw invalid("Idempotency-Key", `must have 1 to ${MAX_KEY_LENGTH} characters`);
  return key;
}

const statuses: Readonly<Record<StoredVideo["status"], string>> = {
  ...{ queued: "queued", running: "in_progress", succeeded: "completed", failed: "failed", cancelled: "failed", expired: "failed" },
};

function videoView(video: StoredVideo) {
  return {
    ...{ id: video.id, object: "video", model: video.model, status: statuses[video.status], progress: video.progress },
    ...{ created_at: seconds(video.createdAtMs), completed_at: seconds(video.finishedAtMs), expires_at: seconds(video.expiresAtMs) },
    ...{ prompt: video.prompt, seconds: video.seconds === null ? "" : String(video.seconds), size: video.size ?? "" },
    ...{ remixed_from_video_id: null, error: video.error },
  };
}

async function ofJson(x: Exchange): Promise<VideoCall> {
  const fields = new Fields(parseCallerJson(await readJsonBytes(x.inbound, x.maxBodyBytes)));
  const length = fields.raw("seconds");
  const reference = fields.raw("input_reference");
  const call = {
    model: fields.string("model"),
    prompt: fields.string("prompt"),
    seconds: lengthOf(typeof length === "number" ? String(length) : fields.optionalString("seconds")),
    size: fields.optionalString("size"),
    aspectRatio: fields.optionalString("aspect_ratio"),
    resolution: fields.optionalString("resolution"),
    user: fields.optionalString("user"),
    image: reference === undefined || reference === null ? undefined : ofReference(reference),
  };
  return withRest(call, fields.rest());
}

async function ofForm(x: Exchange): Promise<VideoCall> {
  const form = await readForm(x);
  const call = {
    model: form.text("model"),
    prompt: form.text("prompt"),
    seconds: lengthOf(form.optionalText("seconds")),
    size: form.optionalText("size"),
    aspectRatio: form.optionalText("aspect_ratio"),
    resolution: form.optionalText("resolution"),
    user: form.optionalText("user"),
    image: await form.optionalFile("input_reference"),
  };
  return withRest(call, form.rest());
}

function withRest(call: VideoCall, rest: Record<string, unknown> | undefined): VideoCall {
  return rest === undefined || Object.keys(rest).length === 0 ? call : { ...call, extras: { "openai-chat": rest } };
}

function lengthOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const length = Number(text);
  if (Number.isFinite(length) && length > 0) return length;
  throw invalid("seconds", "must be a number above 0");
}

function ofReference(reference: unknown): MediaBytes {
  const url = isObject(reference) ? new Fields(reference, "input_reference").string("image_url") : reference;
  const found = typeof url === "string" ? readDataUrl(url) : null;
  if (found === null) throw unsupported("input_reference", "must be a file of the form, or a data: URL in base64");
  return { mediaType: found.mediaType, bytes: decodeBase64(found.data) };
}
