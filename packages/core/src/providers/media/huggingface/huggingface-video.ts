import type { VideoCall, VideoJob } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { pathSafe } from "../../../util/encoding/path-safe.js";
import { isObject } from "../../../util/json.js";
import { unsupported } from "../../../wire/shared/fields.js";
import type { OperationContext, VideoFollowing } from "../../operations.js";
import { exchangeJson } from "../exchange.js";

/** Hugging Face's router hands films on to fal, whose queue is asked by the names that fal has for its models. */
const FAL = "fal-ai/";
const QUEUE = "?_subdomain=queue";

/**
 * Begins a film in the queue behind the router. Source: https://huggingface.co/docs/inference-providers/tasks/text-to-video and
 * https://docs.fal.ai/model-apis/model-endpoints/queue
 */
export async function video(call: VideoCall, context: OperationContext): Promise<VideoJob> {
  if (!context.model.startsWith(FAL))
    throw unsupported("model", "makes no films by raw inference: name one as fal does, such as huggingface/fal-ai/wan-t2v");
  for (const field of ["image", "seconds", "size"] as const)
    if (call[field] !== undefined) throw unsupported(field, "is not known to text-to-video behind Hugging Face's router");
  const model = pathSafe(context.model);
  const answer = await exchangeJson(
    {
      method: "POST",
      url: `${queueOf(context)}/${model}${QUEUE}`,
      body: { ...call.extras?.["openai-chat"], prompt: call.prompt, aspect_ratio: call.aspectRatio, resolution: call.resolution },
    },
    context,
  );
  const address = answer["response_url"];
  // Only its path is of use: the host is fal's, and the credential is Hugging Face's.
  const path = typeof address === "string" && URL.canParse(address) ? new URL(address).pathname : "";
  if (!/^\/[\w./-]+\/requests\/[\w-]+$/.test(path) || path.includes(".."))
    throw new GatewayError("upstream_protocol", "The vendor began a film without an address to ask at.");
  return { ref: path, model: call.model, status: "queued", usage: {} };
}

/** Asked after until the queue says that it is there; its address needs no credential. */
export const followVideo: VideoFollowing = {
  async poll(ref, context) {
    const at = `${queueOf(context)}${ref}`;
    const { status } = await exchangeJson({ method: "GET", url: `${at}/status${QUEUE}` }, context);
    const job = { ref, model: context.model };
    if (status !== "COMPLETED") return { ...job, status: status === "IN_QUEUE" ? "queued" : "running", usage: {} };
    const answer = await exchangeJson({ method: "GET", url: `${at}${QUEUE}` }, context);
    const film = isObject(answer["video"]) ? answer["video"] : {};
    const { url, content_type: type } = film;
    if (typeof url !== "string") throw new GatewayError("upstream_protocol", "The vendor finished a film and does not say where it is.");
    return { ...job, status: "succeeded", videos: [{ mediaType: typeof type === "string" ? type : "video/mp4", url }], usage: {} };
  },
};

function queueOf(context: OperationContext): string {
  return `${context.baseUrl.replace(/\/v1$/, "")}/fal-ai`;
}
