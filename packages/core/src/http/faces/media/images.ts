import type { Headers, HttpAnswer, ImageAnswer, ImageCall, MediaBytes } from "../../../calls/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import { decodeBase64 } from "../../../wire/shared/base64.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { dataUrl, readDataUrl } from "../../../wire/shared/data-url.js";
import { Fields, invalid, unsupported } from "../../../wire/shared/fields.js";
import { utf8 } from "../../../util/json.js";
import { jsonBytesAnswer } from "../../answers.js";
import { callOptions, type Exchange, type Handler } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";
import { isForm, readForm } from "./form.js";
import { piecesAnswer, usageView } from "./media-answer.js";

/** What the caller said of how the pictures come back: this face's own affair. */
interface Wanted {
  readonly stream: boolean;
  readonly asUrl: boolean;
}
interface Asked {
  readonly call: ImageCall;
  readonly wanted: Wanted;
}

/** Pictures from a prompt. Source: https://platform.openai.com/docs/api-reference/images/create */
export function generateImages(models: () => ModelCaller): Handler {
  return async (x) => {
    const fields = new Fields(parseCallerJson(await readJsonBytes(x.inbound, x.maxBodyBytes)));
    return answer(models(), x, { asked: ofFields(fields, []), kind: "image_generation" });
  };
}

/** Pictures from pictures, as a form, or in JSON with pictures as data URLs. Source: https://platform.openai.com/docs/api-reference/images/createEdit */
export function editImages(models: () => ModelCaller): Handler {
  return async (x) => answer(models(), x, { asked: isForm(x) ? await ofForm(x) : await ofJson(x), kind: "image_edit" });
}

async function answer(
  models: ModelCaller,
  x: Exchange,
  { asked, kind }: { readonly asked: Asked; readonly kind: "image_generation" | "image_edit" },
): Promise<HttpAnswer> {
  const { answer: made, headers } = await models.operate("image", asked.call, callOptions(x));
  return asked.wanted.stream ? pieces(made, kind, headers) : whole(made, asked.wanted, headers);
}

function whole(made: ImageAnswer, { asUrl }: Wanted, headers: Headers): HttpAnswer {
  const data = made.images.map(({ mediaType, source, revisedPrompt }) => ({
    ...(source.kind === "url" ? { url: source.url } : asUrl ? { url: dataUrl(mediaType, source.data) } : { b64_json: source.data }),
    ...(revisedPrompt === undefined ? {} : { revised_prompt: revisedPrompt }),
  }));
  const body = { created: Math.floor(made.createdAtMs / 1000), output_format: formatOf(made), data, usage: usageView(made.usage) };
  return jsonBytesAnswer(utf8(JSON.stringify(body)), headers);
}

function pieces(made: ImageAnswer, kind: string, headers: Headers): HttpAnswer {
  const events = made.images.map(({ source }) => ({
    type: `${kind}.completed`,
    ...(source.kind === "url" ? { url: source.url } : { b64_json: source.data }),
    created_at: Math.floor(made.createdAtMs / 1000),
    ...{ background: "auto", quality: "auto", size: "auto", output_format: formatOf(made) },
    usage: usageView(made.usage),
  }));
  return piecesAnswer(events, headers);
}

function formatOf({ images }: ImageAnswer): string | undefined {
  return images[0]?.mediaType.replace(/^image\//, "");
}

function ofFields(fields: Fields, images: readonly MediaBytes[], mask?: MediaBytes): Asked {
  return asked(
    {
      model: fields.string("model"),
      prompt: fields.string("prompt"),
      n: fields.optionalInteger("n"),
      size: fields.optionalString("size"),
      quality: fields.optionalString("quality"),
      background: fields.optionalString("background"),
      format: fields.optionalString("output_format"),
      user: fields.optionalString("user"),
      aspectRatio: fields.optionalString("aspect_ratio"),
      images,
      mask,
    },
    {
      stream: fields.optionalBoolean("stream"),
      partial: fields.optionalInteger("partial_images"),
      format: fields.optionalString("response_format"),
      rest: () => fields.rest(),
    },
  );
}

async function ofForm(x: Exchange): Promise<Asked> {
  const form = await readForm(x);
  const images = await form.files("image");
  if (images.length === 0) throw invalid("image", "is missing");
  return asked(
    {
      model: form.text("model"),
      prompt: form.text("prompt"),
      n: form.optionalInteger("n"),
      size: form.optionalText("size"),
      quality: form.optionalText("quality"),
      background: form.optionalText("background"),
      format: form.optionalText("output_format"),
      user: form.optionalText("user"),
      aspectRatio: form.optionalText("aspect_ratio"),
      images,
      mask: await form.optionalFile("mask"),
    },
    {
      stream: form.optionalFlag("stream"),
      partial: form.optionalInteger("partial_images"),
      format: form.optionalText("response_format"),
      rest: () => form.rest(),
    },
  );
}

async function ofJson(x: Exchange): Promise<Asked> {
  const fields = new Fields(parseCallerJson(await readJsonBytes(x.inbound, x.maxBodyBytes)));
  const images = fields.list("images").map((each, at) => ofReference(new Fields(each, `images[${at}]`)));
  if (images.length === 0) throw invalid("images", "must not be empty");
  const mask = fields.optionalFields("mask");
  return ofFields(fields, images, mask === undefined ? undefined : ofReference(mask));
}

function ofReference(reference: Fields): MediaBytes {
  const found = readDataUrl(reference.string("image_url"));
  if (found === null) throw unsupported(reference.path("image_url"), "must be a data: URL in base64: this face fetches no pictures");
  return { mediaType: found.mediaType, bytes: decodeBase64(found.data) };
}

function asked(
  call: ImageCall,
  o: {
    readonly stream: boolean | undefined;
    readonly partial: number | undefined;
    readonly format: string | undefined;
    readonly rest: () => Record<string, unknown> | undefined;
  },
): Asked {
  if (o.format !== undefined && o.format !== "url" && o.format !== "b64_json")
    throw invalid("response_format", 'must be "url" or "b64_json"');
  if (call.n !== undefined && call.n < 1) throw invalid("n", "must be at least 1");
  // A vendor that can choose is told; one that cannot gives what it has, and this face turns it over.
  const extras = { ...o.rest(), ...(o.format === undefined ? {} : { response_format: o.format }) };
  return {
    call: { ...call, ...(Object.keys(extras).length === 0 ? {} : { extras: { "openai-chat": extras } }) },
    wanted: { stream: o.stream === true, asUrl: o.format === "url" },
  };
}
