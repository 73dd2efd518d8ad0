import type { oneCallRoutes } from "../../../routes/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import type { Handler } from "../../exchange.js";
import { embeddings } from "./embeddings.js";
import { editImages, generateImages } from "./images.js";
import { moderations } from "./moderations.js";
import { speech } from "./speech.js";
import { transcriptions } from "./transcriptions.js";

/** What OpenAI's dialect has beside chat that one call answers. */
export function oneCallFace(models: () => ModelCaller): Readonly<Record<keyof typeof oneCallRoutes, Handler>> {
  return {
    embeddings: embeddings(models),
    images: generateImages(models),
    imageEdits: editImages(models),
    speech: speech(models),
    transcriptions: transcriptions(models, false),
    translations: transcriptions(models, true),
    moderations: moderations(models),
  };
}
