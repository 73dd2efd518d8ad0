import type { ProviderOperations } from "../../operations.js";
import { image } from "./images.js";
import { speech } from "./speech.js";
import { transcribe } from "./transcribe.js";
import { followVideo, video } from "./video.js";

/** Google's media, of the Gemini API and of Vertex AI. */
export const googleMedia: ProviderOperations = { image, speech, transcribe, video, videos: followVideo };
