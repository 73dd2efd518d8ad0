import type OpenAI from "openai";
import type { ImageAnswer, ImageCall, MediaBytes, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { unsupported } from "../../../wire/shared/fields.js";
import type { OperationContext } from "../../operations.js";
import { withClient } from "./client.js";

/** Pictures from a prompt, or from pictures and a prompt. Source: https://platform.openai.com/docs/api-reference/images */
export function image(call: ImageCall, context: OperationContext): Promise<ImageAnswer> {
  // OpenAI knows sizes in pixels alone.
  if (call.aspectRatio !== undefined) throw unsupported("aspectRatio", "is not known to OpenAI's images: say `size`");
  const common = {
    ...call.extras?.["openai-chat"],
    model: context.model,
    prompt: call.prompt,
    n: call.n,
    size: call.size as "auto" | undefined,
    quality: call.quality as "auto" | undefined,
    background: call.background as "auto" | undefined,
    output_format: call.format as "png" | undefined,
    user: call.user,
  };
  return withClient(context, async (client, { toFile }) => {
    const file = ({ bytes, mediaType, filename }: MediaBytes) =>
      toFile(bytes, filename ?? `image.${extensionOf(mediaType)}`, { type: mediaType });
    const { images, mask } = call;
    if (images === undefined || images.length === 0) return decode(await client.images.generate(defined(common)), call);
    const files = await Promise.all(images.map(file));
    return decode(
      await client.images.edit({
        ...defined(common),
        image: files.length === 1 ? files[0]! : files,
        ...(mask === undefined ? {} : { mask: await file(mask) }),
      }),
      call,
    );
  });
}

/** What was not said is not sent, and a form has no "undefined". */
function defined<T extends object>(body: T): Defined<T> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as Defined<T>;
}
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function decode(response: OpenAI.ImagesResponse, call: ImageCall): ImageAnswer {
  const mediaType = `image/${response.output_format ?? call.format ?? "png"}`;
  return {
    model: call.model,
    createdAtMs: response.created * 1000,
    images: (response.data ?? []).map((picture) => ({
      mediaType,
      source: sourceOf(picture),
      ...(picture.revised_prompt === undefined ? {} : { revisedPrompt: picture.revised_prompt }),
    })),
    usage: { ...usageOf(response.usage), images: response.data?.length ?? 0 },
  };
}

function sourceOf({ b64_json: data, url }: OpenAI.Image): ImageAnswer["images"][number]["source"] {
  if (data !== undefined && data !== null) return { kind: "base64", data };
  if (url !== undefined && url !== null) return { kind: "url", url };
  throw new GatewayError("upstream_protocol", "The vendor sent a picture without its bytes or its address.");
}

function usageOf(usage: OpenAI.ImagesResponse["usage"]): Usage {
  if (usage === undefined || usage === null) return {};
  const { text_tokens: text, image_tokens: pictures } = usage.input_tokens_details ?? {};
  const made = usage.output_tokens_details;
  return {
    inputTokens: text ?? usage.input_tokens,
    ...(pictures === undefined ? {} : { imageInputTokens: pictures }),
    // All of it is pictures, but only tokens that the vendor counts apart have a price apart.
    ...(made?.image_tokens === undefined
      ? { outputTokens: usage.output_tokens }
      : { outputTokens: made.text_tokens ?? 0, imageOutputTokens: made.image_tokens }),
  };
}

function extensionOf(mediaType: string): string {
  return /^image\/(\w+)/.exec(mediaType)?.[1] ?? "png";
}
