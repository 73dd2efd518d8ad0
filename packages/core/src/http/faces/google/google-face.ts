import type { HttpAnswer } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { googleRoutes } from "../../../routes/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import { callOptions, type Exchange, type Handler } from "../../exchange.js";
import { callerHeaders } from "../caller-headers.js";
import { countTokens } from "../count-tokens.js";
import { readJsonBytes } from "../json-body.js";
import { googleModelsFace } from "../models/models-face.js";
import { decodeParam } from "../params.js";
import { embedAnswer } from "./embed-answer.js";
import { asJsonArray } from "./json-array.js";

const protocol = "google-genai";

/** What follows the model's name in a path: `{model}:verb`. */
export type GoogleVerb = (x: Exchange, model: string) => HttpAnswer | Promise<HttpAnswer>;

/** Google's Gemini API. `media` are verbs of other modalities. */
export function googleFace(
  models: () => ModelCaller,
  media: Readonly<Record<string, GoogleVerb>> = {},
): Readonly<Record<keyof typeof googleRoutes, Handler>> {
  const verbs = new Map(Object.entries({ ...wholeVerbs(models), ...media }));
  const call: Handler = (x) => {
    const { model, verb } = splitCall(decodeParam(x.params, "call"));
    const handle = verbs.get(verb);
    if (handle !== undefined) return handle(x, model);
    throw new GatewayError("not_found", `There is no method "${verb.slice(0, 64)}" of models.`, {
      hint: `Models have ${[...verbs.keys()].join(", ")}.`,
    });
  };
  const { list, get } = googleModelsFace(models);
  return { betaCall: call, call, betaModels: list, betaModel: get };
}

function wholeVerbs(models: () => ModelCaller): Readonly<Record<string, GoogleVerb>> {
  const generate = async (x: Exchange, path: { readonly model: string; readonly stream: boolean }): Promise<HttpAnswer> => {
    const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
    return models().relay({ protocol, bytes, path, headers: callerHeaders(protocol, x.inbound) }, callOptions(x));
  };
  const embed: GoogleVerb = async (x, model) => embedAnswer(models(), x, { bytes: await readJsonBytes(x.inbound, x.maxBodyBytes), model });
  return {
    generateContent: (x, model) => generate(x, { model, stream: false }),
    streamGenerateContent: async (x, model) => {
      const answer = await generate(x, { model, stream: true });
      return new URLSearchParams(x.inbound.query).get("alt") === "sse" ? answer : asJsonArray(answer);
    },
    countTokens: async (x, model) => {
      const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
      return countTokens(models(), { protocol, bytes, path: { model, stream: false } }, x);
    },
    embedContent: embed,
    batchEmbedContents: embed,
  };
}

/** The last colon ends the model's name: names of some vendors' models have colons too. Errors: `not_found` when there is no method. */
function splitCall(call: string): { readonly model: string; readonly verb: string } {
  const colon = call.lastIndexOf(":");
  if (colon > 0) return { model: call.slice(0, colon).replace(/^models\//, ""), verb: call.slice(colon + 1) };
  throw new GatewayError("not_found", "The path names a model and nothing to do with it.", {
    hint: "Write /v1beta/models/{model}:generateContent.",
  });
}
