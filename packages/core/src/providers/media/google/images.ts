import type { ImageAnswer, ImageCall, MediaBytes } from "../../../calls/index.js";
import { addUsage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import { encodeBase64 } from "../../../wire/shared/base64.js";
import { unsupported } from "../../../wire/shared/fields.js";
import type { OperationContext } from "../../operations.js";
import { ask, generate, type Generated } from "./google-exchange.js";

const MAX_PICTURES = 10;

/**
 * Pictures: models that also talk make them in `generateContent`, one a call; those that do nothing else by `predict`.
 * Sources: https://ai.google.dev/gemini-api/docs/image-generation, https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
 */
export function image(call: ImageCall, context: OperationContext): Promise<ImageAnswer> {
  for (const field of ["mask", "background", "quality"] as const)
    if (call[field] !== undefined) throw unsupported(field, "is not known to Google's images");
  if (call.n !== undefined && (call.n < 1 || call.n > MAX_PICTURES)) throw unsupported("n", `must be 1 to ${MAX_PICTURES}`);
  return context.kind === "image" ? predicted(call, context) : generated(call, context);
}

async function generated(call: ImageCall, context: OperationContext): Promise<ImageAnswer> {
  if (call.format !== undefined && call.format !== "png")
    throw unsupported("format", "cannot be chosen: Google's models choose it themselves");
  const aspectRatio = call.aspectRatio ?? aspectOf(call.size);
  const body = {
    ...call.extras?.["google-genai"],
    contents: [{ role: "user", parts: [...(call.images ?? []).map(inline), { text: call.prompt }] }],
    generationConfig: {
      responseModalities: ["TEXT", "IMAGE"],
      ...(aspectRatio === undefined ? {} : { imageConfig: { aspectRatio } }),
    },
  };
  const answers: Generated[] = await Promise.all(Array.from({ length: call.n ?? 1 }, () => generate(body, context)));
  const blobs = answers.flatMap((answer) => answer.blobs);
  if (blobs.length === 0)
    throw new GatewayError("upstream_rejected", "The model answered in words and made no picture.", {
      hint: "Ask for a picture plainly, or choose a model that makes them.",
    });
  return {
    model: call.model,
    createdAtMs: Date.now(),
    images: blobs.map(({ mimeType, data }) => ({ mediaType: mimeType, source: { kind: "base64", data } })),
    usage: { ...answers.map((answer) => answer.usage).reduce(addUsage, {}), images: blobs.length },
  };
}

async function predicted(call: ImageCall, context: OperationContext): Promise<ImageAnswer> {
  if (call.images !== undefined && call.images.length > 0)
    throw unsupported("images", "is not known to this model: it makes pictures from words alone");
  const aspectRatio = call.aspectRatio ?? aspectOf(call.size);
  const answer = await ask(
    "predict",
    {
      instances: [{ prompt: call.prompt }],
      parameters: {
        ...call.extras?.["google-genai"],
        sampleCount: call.n ?? 1,
        ...(aspectRatio === undefined ? {} : { aspectRatio }),
        ...(call.format === undefined ? {} : { outputOptions: { mimeType: `image/${call.format}` } }),
      },
    },
    context,
  );
  const predictions = Array.isArray(answer["predictions"]) ? answer["predictions"].filter(isObject) : [];
  const images = predictions.flatMap(({ bytesBase64Encoded: data, mimeType, prompt }) =>
    typeof data === "string"
      ? [
          {
            mediaType: typeof mimeType === "string" ? mimeType : "image/png",
            source: { kind: "base64" as const, data },
            ...(typeof prompt === "string" ? { revisedPrompt: prompt } : {}),
          },
        ]
      : [],
  );
  if (images.length === 0) throw new GatewayError("content_blocked", "The vendor made no picture of this prompt.");
  return { model: call.model, createdAtMs: Date.now(), images, usage: { images: images.length } };
}

export function inline({ mediaType, bytes }: MediaBytes) {
  return { inlineData: { mimeType: mediaType, data: encodeBase64(bytes) } };
}

const ratios = ["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"];

/** Google chooses the pixels: of a size only its ratio can be asked for. */
export function aspectOf(size: string | undefined): string | undefined {
  if (size === undefined || size === "auto") return undefined;
  const [width, height] = size.split("x").map(Number);
  const ratio = ratios.find((each) => {
    const [across = 1, down = 1] = each.split(":").map(Number);
    return width! * down === height! * across;
  });
  if (ratio !== undefined) return ratio;
  throw unsupported("size", `must be auto or a WIDTHxHEIGHT of one of the ratios ${ratios.join(", ")}`);
}
