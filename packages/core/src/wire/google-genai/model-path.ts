import { pathSafe } from "../../util/encoding/path-safe.js";
import type { Quirks } from "../shared/codec.js";

/** What a model can be asked for in Google's paths. */
type Method = "generateContent" | "streamGenerateContent" | "countTokens" | "embedContent" | "batchEmbedContents" | "predict";

/** `/v1beta/models/{model}:method`. A slash in a model's name parts segments (`tunedModels/x`); all else in it is encoded. A stream is asked for as SSE. */
export function methodPath(model: string, method: Method, quirks: Quirks): string {
  const name = pathSafe(bareModel(model));
  const path = `${quirks.modelsPath ?? "/v1beta/models"}/${name}:${method}`;
  return method === "streamGenerateContent" ? `${path}?alt=sse` : path;
}

/** A model as a field of a body names it. */
export function modelField(model: string): string {
  return `models/${bareModel(model)}`;
}

function bareModel(model: string): string {
  return model.replace(/^models\//, "");
}

/** Vertex AI knows fewer methods than the Gemini API, and has its models below other paths than `/v1beta/models`. */
export function isVertexPath({ modelsPath }: Quirks): boolean {
  return modelsPath !== undefined && !/\/v1[a-z0-9]*\/models$/.test(modelsPath);
}
