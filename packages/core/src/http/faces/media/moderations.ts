import type { ModerateCall } from "../../../calls/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import { newId } from "../../../util/ids.js";
import { utf8 } from "../../../util/json.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { Fields, invalid } from "../../../wire/shared/fields.js";
import { jsonBytesAnswer } from "../../answers.js";
import { callOptions, type Handler } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";

/** What a caller who names no model means, by the vendor's own page. */
const DEFAULT_MODEL = "omni-moderation-latest";

/** Source: https://platform.openai.com/docs/api-reference/moderations/create */
export function moderations(models: () => ModelCaller): Handler {
  return async (x) => {
    const fields = new Fields(parseCallerJson(await readJsonBytes(x.inbound, x.maxBodyBytes)));
    const call: ModerateCall = { model: fields.optionalString("model") ?? DEFAULT_MODEL, inputs: inputsOf(fields.raw("input")) };
    const rest = fields.rest();
    const { answer, headers } = await models().operate(
      "moderate",
      rest === undefined ? call : { ...call, extras: { "openai-chat": rest } },
      callOptions(x),
    );
    const results = answer.results.map(
      ({ flagged, categories, scores, raw }) => raw ?? { flagged, categories, category_scores: scores, category_applied_input_types: {} },
    );
    return jsonBytesAnswer(utf8(JSON.stringify({ id: newId("modr"), model: answer.model, results })), headers);
  };
}

function inputsOf(input: unknown): ModerateCall["inputs"] {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input) || input.length === 0) throw invalid("input", "must be a text, or a list of texts and pictures");
  return input.map((each: unknown, at) => {
    if (typeof each === "string") return each;
    const fields = new Fields(each, `input[${at}]`);
    const type = fields.string("type");
    if (type === "text") return fields.string("text");
    if (type === "image_url") return { imageUrl: fields.fields("image_url").string("url") };
    throw invalid(`input[${at}].type`, 'must be "text" or "image_url"');
  });
}
