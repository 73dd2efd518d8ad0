import type { ProviderOperations } from "../operations.js";
import { googleMedia } from "./google/google-media.js";
import { huggingfaceMedia } from "./huggingface/huggingface-media.js";
import { openaiMedia } from "./openai/openai-media.js";
import { xaiMedia } from "./xai/xai-media.js";

/** How a vendor is asked for pictures, sound and films; its row names one. */
export type MediaDialect = "openai" | "google" | "xai" | "huggingface";

export const mediaDialects: Readonly<Record<MediaDialect, ProviderOperations>> = {
  openai: openaiMedia,
  google: googleMedia,
  xai: xaiMedia,
  huggingface: huggingfaceMedia,
};
