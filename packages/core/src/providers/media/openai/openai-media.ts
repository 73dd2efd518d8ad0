import type { ProviderOperations } from "../../operations.js";
import { speech, transcribe } from "./audio.js";
import { openaiBatches } from "./batches.js";
import { image } from "./images.js";
import { moderate } from "./moderate.js";

/** OpenAI's media, and of those who imitate it, by its own SDK. Films are not among them: the vendor took its Videos API away in September 2026. */
export const openaiMedia: ProviderOperations = { image, speech, transcribe, moderate, batches: openaiBatches };
