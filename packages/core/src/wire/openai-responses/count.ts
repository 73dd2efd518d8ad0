import { GatewayError } from "../../errors/index.js";
import { utf8 } from "../../util/json.js";
import type { TokenCounter } from "../shared/codec.js";
import { parseUpstreamJson } from "../shared/upstream-json.js";
import { decodeRequest } from "./request/decode-request.js";
import { encodeBody } from "./request/encode-request.js";
import { Encoding } from "./request/encoding.js";
import { requestHeaders } from "../shared/requests/request-headers.js";

/** The fields of a request that its count depends on; the vendor refuses others. */
const counted = [
  "model",
  "input",
  "instructions",
  "previous_response_id",
  "conversation",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "text",
  "reasoning",
  "truncation",
  "personality",
];

/** `POST /responses/input_tokens`. */
export const count: TokenCounter = {
  decodeRequest: (bytes) => decodeRequest(bytes),
  encodeAnswer: ({ inputTokens }) => utf8(JSON.stringify({ object: "response.input_tokens", input_tokens: inputTokens })),
  encodeRequest(call, { model, quirks }) {
    const encoding = new Encoding(call, quirks);
    const body = encodeBody({ ...call, stop: undefined, n: undefined }, { model, stream: false, encoding });
    const bytes = utf8(JSON.stringify(Object.fromEntries(counted.map((key) => [key, body[key]]))));
    const warnings = encoding.warnings.length === 0 ? {} : { warnings: encoding.warnings };
    return { path: "/responses/input_tokens", headers: requestHeaders(false), bytes, ...warnings };
  },
  decodeAnswer(bytes) {
    const { input_tokens: inputTokens } = parseUpstreamJson(bytes);
    if (typeof inputTokens !== "number" || !Number.isSafeInteger(inputTokens) || inputTokens < 0)
      throw new GatewayError("upstream_protocol", "The vendor's count of tokens is no count.");
    return { inputTokens, estimated: false };
  },
};
