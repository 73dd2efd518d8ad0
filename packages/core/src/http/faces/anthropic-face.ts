import type { HttpAnswer } from "../../calls/index.js";
import type { anthropicRoutes } from "../../routes/index.js";
import type { ModelCaller } from "../../seams/index.js";
import { callOptions, type Exchange, type Handler } from "../exchange.js";
import { callerHeaders } from "./caller-headers.js";
import { countTokens } from "./count-tokens.js";
import { readJsonBytes } from "./json-body.js";

const protocol = "anthropic-messages";

/** Anthropic's Messages. `anthropic-version` is not looked at: what a version changes is in the body, and the vendor is called with the version that its codec was written for. */
export function anthropicFace(models: () => ModelCaller): Readonly<Record<keyof typeof anthropicRoutes, Handler>> {
  return {
    messages: async (x) => {
      const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
      return named(await models().relay({ protocol, bytes, headers: callerHeaders(protocol, x.inbound) }, callOptions(x)), x);
    },
    countTokens: async (x) => named(await countTokens(models(), { protocol, bytes: await readJsonBytes(x.inbound, x.maxBodyBytes) }, x), x),
  };
}

/** The request's id where the vendor's SDK looks for it. */
function named(answer: HttpAnswer, { requestId }: Exchange): HttpAnswer {
  return { ...answer, headers: [...answer.headers, ["request-id", requestId]] };
}
