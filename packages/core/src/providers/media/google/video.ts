import type { VideoCall, VideoJob } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import { encodeBase64 } from "../../../wire/shared/base64.js";
import type { OperationContext, VideoFollowing } from "../../operations.js";
import { ask, read } from "./google-exchange.js";
import { aspectOf } from "./images.js";

/** Begins a film: a long-running operation. Sources: https://ai.google.dev/gemini-api/docs/video, https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation */
export async function video(call: VideoCall, context: OperationContext): Promise<VideoJob> {
  const { image } = call;
  const parameters = {
    ...call.extras?.["google-genai"],
    aspectRatio: call.aspectRatio ?? aspectOf(call.size),
    durationSeconds: call.seconds,
    resolution: call.resolution,
  };
  const instance = {
    prompt: call.prompt,
    ...(image === undefined ? {} : { image: { bytesBase64Encoded: encodeBase64(image.bytes), mimeType: image.mediaType } }),
  };
  const answer = await ask("predictLongRunning", { instances: [instance], parameters }, context);
  if (typeof answer["name"] !== "string" || answer["name"] === "")
    throw new GatewayError("upstream_protocol", "The vendor began a film without a name to ask by.");
  return { ref: answer["name"], model: call.model, status: "queued", usage: {} };
}

export const followVideo: VideoFollowing = {
  async poll(ref, context) {
    // Vertex AI's operations are asked for through their model.
    const operation = ref.startsWith("projects/")
      ? await ask("fetchPredictOperation", { operationName: ref }, context)
      : await read(ref, context);
    const job = { ref, model: context.model };
    if (operation["done"] !== true) return { ...job, status: "running", ...progressOf(operation["metadata"]), usage: {} };
    if (isObject(operation["error"])) {
      const { code, message } = operation["error"];
      return {
        ...job,
        status: "failed",
        error: { code: String(code ?? "failed"), message: typeof message === "string" ? message : "The vendor could not make the film." },
        usage: {},
      };
    }
    return { ...job, ...finished(isObject(operation["response"]) ? operation["response"] : {}) };
  },
};

function progressOf(metadata: unknown): { readonly progress?: number } {
  const percent = isObject(metadata) ? metadata["progressPercent"] : undefined;
  return typeof percent === "number" ? { progress: percent } : {};
}

function finished(response: Record<string, unknown>): Pick<VideoJob, "status" | "videos" | "error" | "progress" | "usage"> {
  const result = isObject(response["generateVideoResponse"]) ? response["generateVideoResponse"] : response;
  const samples = [result["generatedSamples"], result["generatedVideos"], result["videos"]].find(Array.isArray) ?? [];
  const videos = (samples as unknown[]).flatMap((sample): NonNullable<VideoJob["videos"]>[number][] => {
    const film = isObject(sample) ? (isObject(sample["video"]) ? sample["video"] : sample) : {};
    const url = film["uri"] ?? film["url"];
    const data = film["bytesBase64Encoded"] ?? film["videoBytes"] ?? film["encodedVideo"];
    const mediaType = typeof film["mimeType"] === "string" ? film["mimeType"] : "video/mp4";
    if (typeof data === "string") return [{ mediaType, data }];
    return typeof url === "string" ? [{ mediaType, url }] : [];
  });
  if (videos.length > 0) return { status: "succeeded", progress: 100, videos, usage: {} };
  const reasons = Array.isArray(result["raiMediaFilteredReasons"]) ? result["raiMediaFilteredReasons"].join(" ") : "";
  return {
    status: "failed",
    error: { code: "content_filter", message: reasons === "" ? "The vendor made no film of this prompt." : reasons.slice(0, 500) },
    usage: {},
  };
}
