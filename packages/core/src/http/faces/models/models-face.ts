import { GatewayError } from "../../../errors/index.js";
import type { ListedModel, ModelCaller } from "../../../seams/index.js";
import { jsonAnswer } from "../../answers.js";
import { dialectOfHeaders } from "../../error-shape.js";
import type { Exchange, Handler } from "../../exchange.js";
import { decodeParam } from "../params.js";
import { anthropicModel, anthropicPage } from "./anthropic-models.js";
import { googleModel, googlePage } from "./google-models.js";

interface ModelsFace {
  readonly list: Handler;
  readonly get: Handler;
}

/** The models that a key may call, in the dialect that the caller's headers speak. */
export function modelsFace(models: () => ModelCaller): ModelsFace {
  const inGoogles = googleModelsFace(models);
  return {
    list: (x) => {
      const dialect = dialectOfHeaders(x.inbound);
      if (dialect === "google-genai") return inGoogles.list(x);
      const listed = models().list(x.caller);
      if (dialect === "anthropic-messages") return jsonAnswer(200, anthropicPage(listed, new URLSearchParams(x.inbound.query)));
      return jsonAnswer(200, { object: "list", data: listed.map(openaiModel) });
    },
    get: (x) => {
      const dialect = dialectOfHeaders(x.inbound);
      if (dialect === "google-genai") return inGoogles.get(x);
      const model = findModel(models(), x, decodeParam(x.params, "model"));
      return jsonAnswer(200, dialect === "anthropic-messages" ? anthropicModel(model) : openaiModel(model));
    },
  };
}

/** The same in Google's shape, whatever the headers say: its own paths have it. */
export function googleModelsFace(models: () => ModelCaller): ModelsFace {
  return {
    list: (x) => jsonAnswer(200, googlePage(models().list(x.caller), new URLSearchParams(x.inbound.query))),
    get: (x) => jsonAnswer(200, googleModel(findModel(models(), x, decodeParam(x.params, "model").replace(/^models\//, "")))),
  };
}

/** Errors: `model_not_found`. */
function findModel(models: ModelCaller, x: Exchange, name: string): ListedModel {
  const model = models.find(x.caller, name);
  if (model !== null) return model;
  throw new GatewayError("model_not_found", `There is no model "${name.slice(0, 200)}" that this key may call.`, {
    hint: "GET /v1/models lists them.",
  });
}

/**
 * OpenAI's four fields, and what is known of the model beside them; what nobody said is left out. `created` and `retires_at` are in seconds.
 * Source: https://platform.openai.com/docs/api-reference/models/object
 */
function openaiModel(model: ListedModel) {
  const { kind, features = [], inputFormats = [], outputFormats = [], aliases = [], successor = null } = model;
  return {
    id: model.id,
    object: "model",
    created: Math.floor(model.createdAtMs / 1000),
    owned_by: model.ownedBy,
    name: model.title,
    ...(kind === undefined ? {} : { kind }),
    ...(features.length === 0 ? {} : { capabilities: features }),
    ...(inputFormats.length === 0 ? {} : { input_modalities: inputFormats }),
    ...(outputFormats.length === 0 ? {} : { output_modalities: outputFormats }),
    ...(model.contextTokens === null ? {} : { context_length: model.contextTokens }),
    ...(model.maxOutputTokens === null ? {} : { max_output_tokens: model.maxOutputTokens }),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(model.deprecated === undefined ? {} : { lifecycle: model.deprecated ? "deprecated" : "active" }),
    ...(model.retiresAtMs === undefined || model.retiresAtMs === null ? {} : { retires_at: Math.floor(model.retiresAtMs / 1000) }),
    ...(successor === null ? {} : { successor }),
  };
}
