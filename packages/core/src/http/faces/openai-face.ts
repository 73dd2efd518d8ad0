import { GatewayError } from "../../errors/index.js";
import type { ListedModel, ModelCaller } from "../../seams/index.js";
import { jsonAnswer } from "../answers.js";
import { callOptions, type Handler } from "../exchange.js";
import { readJsonBytes } from "./json-body.js";
import { decodeParam } from "./params.js";

/** OpenAI's dialect: the body is forwarded as it is, and answered by whoever serves the model. */
export function openaiFace(models: () => ModelCaller): { readonly chat: Handler; readonly models: Handler; readonly model: Handler } {
  return {
    chat: async (x) => {
      const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
      return models().relay({ protocol: "openai-chat", bytes }, callOptions(x));
    },
    models: (x) => jsonAnswer(200, { object: "list", data: models().list(x.caller).map(toOpenAi) }),
    model: (x) => {
      const name = decodeParam(x.params, "model");
      const model = models().find(x.caller, name);
      if (model === null)
        throw new GatewayError("model_not_found", `There is no model "${name.slice(0, 200)}" that this key may call.`, {
          hint: "GET /v1/models lists them.",
        });
      return jsonAnswer(200, toOpenAi(model));
    },
  };
}

/** Source: https://platform.openai.com/docs/api-reference/models/object; `created` is in seconds. */
function toOpenAi(model: ListedModel) {
  return { id: model.id, object: "model", created: Math.floor(model.createdAtMs / 1000), owned_by: model.ownedBy };
}
