import type { HttpAnswer, ProtocolId } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { ModelCaller } from "../../seams/index.js";
import type { PathHead } from "../../wire/shared/codec.js";
import { jsonBytesAnswer } from "../answers.js";
import { dialectOf } from "../dialects.js";
import { callOptions, type Exchange } from "../exchange.js";

export interface CountedRequest {
  readonly protocol: ProtocolId;
  readonly bytes: Uint8Array;
  readonly path?: PathHead | undefined;
}

/** Counts the tokens of a call in a dialect, and says so in that dialect. An estimate, where the model's vendor cannot be asked, is marked by `x-sallyport-estimated: true`. */
export async function countTokens(models: ModelCaller, request: CountedRequest, x: Exchange): Promise<HttpAnswer> {
  const { count } = dialectOf(request.protocol);
  if (count === undefined) throw new GatewayError("unsupported_feature", `${request.protocol} has no counting of tokens.`);
  const call = count.decodeRequest(request.bytes, request.path);
  const { answer, headers } = await models.operate("count-tokens", call, callOptions(x));
  return jsonBytesAnswer(count.encodeAnswer(answer), answer.estimated ? [...headers, ["x-sallyport-estimated", "true"]] : headers);
}
