import type { ModelCaller } from "../../seams/index.js";
import { callOptions, type Handler } from "../exchange.js";
import { readJsonBytes } from "./json-body.js";

/** OpenAI's Chat Completions: the body is forwarded as it is, and answered by whoever serves the model. */
export function chatFace(models: () => ModelCaller): { readonly chat: Handler } {
  return {
    chat: async (x) => {
      const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
      return models().relay({ protocol: "openai-chat", bytes }, callOptions(x));
    },
  };
}
