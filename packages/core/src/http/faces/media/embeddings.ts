import type { ModelCaller } from "../../../seams/index.js";
import { openaiChat } from "../../../wire/openai-chat/index.js";
import { jsonBytesAnswer } from "../../answers.js";
import { callOptions, type Handler } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";

/** Source: https://platform.openai.com/docs/api-reference/embeddings */
export function embeddings(models: () => ModelCaller): Handler {
  const codec = openaiChat.embed!;
  return async (x) => {
    const call = codec.decodeRequest(await readJsonBytes(x.inbound, x.maxBodyBytes));
    const { answer, headers } = await models().operate("embed", call, callOptions(x));
    return jsonBytesAnswer(codec.encodeAnswer(answer, call), headers);
  };
}
