import type { ImageAnswer, ImageCall } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import { unsupported } from "../../../wire/shared/fields.js";
import type { OperationContext, ProviderOperations } from "../../operations.js";
import { exchangeJson } from "../exchange.js";
import { aspectOf, asUrl, usageOf } from "./xai-shapes.js";
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
