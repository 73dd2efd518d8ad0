import type { anthropicRoutes } from "../../routes/index.js";
import type { ModelCaller } from "../../seams/index.js";
import { callOptions, type Handler } from "../exchange.js";
import { callerHeaders } from "./caller-headers.js";
import { countTokens } from "./count-tokens.js";
import { readJsonBytes } from "./json-body.js";

const protocol = "anthropic-messages";

/** Anthropic's Messages. `anthropic-version` is not looked at: what a version changes is in the body, and the vendor is called with the version that its codec was written for. */
export function anthropicFace(models: () => ModelCaller): Readonly<Record<keyof typeof anthropicRoutes, Handler>> {
  return {
    messages: async (x) => {
      const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
      return models().relay({ protocol, bytes, headers: callerHeaders(protocol, x.inbound) }, callOptions(x));
    },
    countTokens: async (x) => countTokens(models(), { protocol, bytes: await readJsonBytes(x.inbound, x.maxBodyBytes) }, x),
  };
}
