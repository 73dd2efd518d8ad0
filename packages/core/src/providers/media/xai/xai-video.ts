import type { VideoCall, VideoJob } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import type { OperationContext, VideoFollowing } from "../../operations.js";
import { exchangeJson } from "../exchange.js";
import { aspectOf, asUrl, usageOf } from "./xai-shapes.js";

const statuses: Readonly<Record<string, VideoJob["status"]>> = {
  pending: "running",
  done: "succeeded",
  failed: "failed",
  expired: "failed",
};

/** Begins a film: the vendor answers with a name to ask by. Source: https://docs.x.ai/docs/guides/video-generations */
export async function video(call: VideoCall, context: OperationContext): Promise<VideoJob> {
  const answer = await exchangeJson(
    {
      method: "POST",
      url: "/videos/generations",
      body: {
        ...call.extras?.["openai-chat"],
        model: context.model,
        prompt: call.prompt,
        duration: call.seconds,
        aspect_ratio: call.aspectRatio ?? aspectOf(call.size),
        resolution: call.resolution ?? resolutionOf(call.size),
        user: call.user,
        ...(call.image === undefined ? {} : { image: asUrl(call.image) }),
      },
    },
    context,
  );
  const ref = answer["request_id"];
  if (typeof ref !== "string" || ref === "")
    throw new GatewayError("upstream_protocol", "The vendor began a film without a name to ask by.");
  return { ref, model: call.model, status: "queued", usage: {} };
}

/** A film is asked after until it is no longer 202; its address expires and needs no credential. */
export const followVideo: VideoFollowing = {
  async poll(ref, context) {
    const answer = await exchangeJson({ method: "GET", url: `/videos/${encodeURIComponent(ref)}` }, context);
    const film = isObject(answer["video"]) ? answer["video"] : {};
    const url = typeof film["url"] === "string" ? film["url"] : undefined;
    const said = typeof answer["status"] === "string" ? answer["status"] : undefined;
    const status = said === undefined ? (url === undefined ? "running" : "succeeded") : (statuses[said] ?? "running");
    const job = { ref, model: context.model, status };
    if (status === "failed") return { ...job, error: errorOf(answer["error"], said), usage: usageOf(answer["usage"]) };
    if (status !== "succeeded") return { ...job, ...progressOf(answer["progress"]), usage: {} };
    if (film["respect_moderation"] === false)
      return {
        ...job,
        status: "failed",
        error: { code: "content_filter", message: "The vendor withheld the film." },
        usage: usageOf(answer["usage"]),
      };
    if (url === undefined) throw new GatewayError("upstream_protocol", "The vendor finished a film and does not say where it is.");
    const seconds = typeof film["duration"] === "number" ? { seconds: film["duration"] } : {};
    return { ...job, progress: 100, videos: [{ mediaType: "video/mp4", url }], usage: { ...usageOf(answer["usage"]), ...seconds } };
  },
};

function progressOf(progress: unknown): { readonly progress?: number } {
  return typeof progress === "number" ? { progress } : {};
}

function errorOf(error: unknown, said: string | undefined): { readonly code: string; readonly message: string } {
  const { code, message } = isObject(error) ? error : {};
  return {
    code: typeof code === "string" ? code : (said ?? "failed"),
    message: typeof message === "string" ? message : "The vendor could not make the film.",
  };
}

function resolutionOf(size: string | undefined): string | undefined {
  const sides = size?.split("x").map(Number) ?? [];
  const shorter = Math.min(...sides);
  return sides.length === 2 && shorter > 0 ? `${shorter}p` : undefined;
}
