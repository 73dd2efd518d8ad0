import type { SpeechCall } from "../../../calls/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import { encodeBase64 } from "../../../wire/shared/base64.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { Fields, invalid } from "../../../wire/shared/fields.js";
import { isObject } from "../../../util/json.js";
import { callOptions, type Handler } from "../../exchange.js";
import { readJsonBytes } from "../json-body.js";
import { bytesAnswer, piecesAnswer, usageView } from "./media-answer.js";

/** A text as sound; with `stream_format: "sse"` in one piece. Without `response_format` it comes as the model makes it. Source: https://platform.openai.com/docs/api-reference/audio/createSpeech */
export function speech(models: () => ModelCaller): Handler {
  return async (x) => {
    const fields = new Fields(parseCallerJson(await readJsonBytes(x.inbound, x.maxBodyBytes)));
    const streamFormat = fields.optionalString("stream_format");
    if (streamFormat !== undefined && streamFormat !== "audio" && streamFormat !== "sse")
      throw invalid("stream_format", 'must be "audio" or "sse"');
    const { answer, headers } = await models().operate("speech", decode(fields), callOptions(x));
    const { audio } = answer;
    if (streamFormat !== "sse") return bytesAnswer(audio.bytes, audio.mediaType, headers);
    return piecesAnswer(
      [
        { type: "speech.audio.delta", audio: encodeBase64(audio.bytes) },
        { type: "speech.audio.done", usage: usageView(answer.usage) },
      ],
      headers,
    );
  };
}

function decode(fields: Fields): SpeechCall {
  const voice = fields.raw("voice");
  const call = {
    model: fields.string("model"),
    input: fields.string("input"),
    voice: isObject(voice) ? new Fields(voice, "voice").string("id") : fields.optionalString("voice"),
    format: fields.optionalString("response_format"),
    speed: fields.optionalNumber("speed"),
    instructions: fields.optionalString("instructions"),
  };
  if (call.input === "") throw invalid("input", "must not be empty");
  const rest = fields.rest();
  return rest === undefined ? call : { ...call, extras: { "openai-chat": rest } };
}
