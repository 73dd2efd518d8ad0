import type { ImageAnswer, ImageCall, MediaBytes, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import { encodeBase64 } from "../../../wire/shared/base64.js";
import { dataUrl } from "../../../wire/shared/data-url.js";
import { unsupported } from "../../../wire/shared/fields.js";
import type { OperationContext, ProviderOperations } from "../../operations.js";
import { exchangeJson } from "../exchange.js";
import { followVideo, video } from "./xai-video.js";

/** xAI's pictures and films: shaped after OpenAI's, with pictures in JSON and films by polling. Source: https://docs.x.ai/docs/api-reference */
export const xaiMedia: ProviderOperations = { image, video, videos: followVideo };

async function image(call: ImageCall, context: OperationContext): Promise<ImageAnswer> {
  if (call.mask !== undefined) throw unsupported("mask", "is not known to xAI's images");
  if (call.background !== undefined) throw unsupported("background", "is not known to xAI's images");
  const pictures = (call.images ?? []).map(asUrl);
  const answer = await exchangeJson(
    {
      method: "POST",
      url: pictures.length === 0 ? "/images/generations" : "/images/edits",
      body: {
        ...call.extras?.["openai-chat"],
        model: context.model,
        prompt: call.prompt,
        n: call.n,
        aspect_ratio: call.aspectRatio ?? aspectOf(call.size),
        quality: call.quality,
        user: call.user,
        response_format: "b64_json",
        ...(pictures.length === 1 ? { image: pictures[0] } : pictures.length > 1 ? { images: pictures } : {}),
      },
    },
    context,
  );
  const { data } = answer;
  if (!Array.isArray(data)) throw new GatewayError("upstream_protocol", "The vendor's answer has no pictures.");
  return {
    model: call.model,
    createdAtMs: typeof answer["created"] === "number" ? answer["created"] * 1000 : Date.now(),
    images: data.map(pictureOf),
    usage: { ...usageOf(answer["usage"]), images: data.length },
  };
}

/** Sizes that are a ratio are asked for as one; xAI chooses the pixels itself. */
export function aspectOf(size: string | undefined): string | undefined {
  if (size === undefined || size === "auto") return undefined;
  const [width, height] = size.split("x").map(Number);
  if (width === undefined || height === undefined || !(width > 0) || !(height > 0)) throw unsupported("size", "must be WIDTHxHEIGHT");
  const divisor = greatestCommonDivisor(width, height);
  return `${width / divisor}:${height / divisor}`;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

export function asUrl({ mediaType, bytes }: MediaBytes): { readonly type: "image_url"; readonly url: string } {
  return { type: "image_url", url: dataUrl(mediaType, encodeBase64(bytes)) };
}

/** One tick is 10^-10 dollars, as the vendor's own SDK has it. */
export function usageOf(usage: unknown): Usage {
  const ticks = isObject(usage) ? usage["cost_in_usd_ticks"] : undefined;
  return typeof ticks === "number" && Number.isSafeInteger(ticks) && ticks >= 0 ? { reportedCostNanoUsd: Math.round(ticks / 10) } : {};
}

function pictureOf(picture: unknown): ImageAnswer["images"][number] {
  const { b64_json: data, url, mime_type: type, revised_prompt: revised } = isObject(picture) ? picture : {};
  const rest = {
    mediaType: typeof type === "string" ? type : "image/jpeg",
    ...(typeof revised === "string" && revised !== "" ? { revisedPrompt: revised } : {}),
  };
  if (typeof data === "string") return { ...rest, source: { kind: "base64", data } };
  if (typeof url === "string") return { ...rest, source: { kind: "url", url } };
  throw new GatewayError("upstream_protocol", "The vendor sent a picture without its bytes or its address.");
}
