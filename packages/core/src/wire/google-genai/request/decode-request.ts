import type { ModelCall } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import type { PathHead } from "../../shared/codec.js";
import { invalid } from "../../shared/fields.js";
import { asExtras } from "../extras.js";
import { googleFields } from "../proto-json.js";
import { decodeContents, decodeSystem } from "./decode-contents.js";
import { decodeConfig } from "./generation-config.js";
import { partTexts } from "./part-texts.js";
import { decodeToolConfig, decodeTools } from "./tools.js";

/** Google's word for what is called `default` elsewhere. */
const standardTier = "standard";

/** `Codec.decodeRequest` of Google's protocol: what is null or absent is undefined, what has no neutral meaning rides in `extras`. */
export function decodeRequest(bytes: Uint8Array, path?: PathHead): ModelCall {
  const body = googleFields(parseCallerJson(bytes));
  // The path names the model, whatever the body says.
  body.optionalString("model");
  if (path === undefined || path.model === "") throw invalid("model", "is missing: the path has to name it");
  const system = decodeSystem(body);
  const contents = decodeContents(body.list("contents"), partTexts(bytes, "contents"));
  const { neutral, own } = decodeConfig(body);
  const choice = decodeToolConfig(body);
  const tools = decodeTools(body);
  const tier = body.optionalString("serviceTier");
  const call = {
    ...neutral,
    model: path.model,
    messages: [...system, ...contents],
    tools: choice.strict ? tools?.map((tool) => ("name" in tool ? { ...tool, strict: true } : tool)) : tools,
    toolChoice: choice.neutral,
    serviceTier: tier === standardTier ? "default" : tier,
    metadata: decodeLabels(body.optionalObject("labels")),
  };
  return { ...call, ...asExtras({ ...body.rest(), generationConfig: own, toolConfig: choice.own }) };
}

function decodeLabels(labels: Record<string, unknown> | undefined): ModelCall["metadata"] {
  if (!isObject(labels)) return undefined;
  for (const [key, value] of Object.entries(labels))
    if (typeof value !== "string") throw invalid(`labels.${key.slice(0, 64)}`, "must be a string");
  return labels as ModelCall["metadata"];
}
