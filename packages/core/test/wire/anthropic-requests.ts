import type { Message, ModelCall } from "../../src/calls/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { anthropicMessages as codec } from "../../src/wire/anthropic-messages/index.js";
import { bytesOf, textOf } from "./chunks.js";

/** Requests of Messages as tests write and read them. */

export const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
const plain: ModelCall = { model: "m", messages: [user("hi")] };
export const encode = (call: Partial<ModelCall>) => codec.encodeRequest({ ...plain, ...call }, { model: "m", stream: false, quirks: {} });
// oxlint-disable-next-line typescript/no-explicit-any -- a body is looked into at many depths
export const bodyOf = (call: Partial<ModelCall>) => JSON.parse(textOf(encode(call).bytes)) as Record<string, any>;
export const warned = (call: Partial<ModelCall>) => (encode(call).warnings ?? []).map((warning) => warning.field);
export const decode = (body: object) =>
  codec.decodeRequest(bytesOf(JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...body })));
export const refusalOf = (read: () => unknown) => {
  try {
    read();
  } catch (error) {
    return GatewayError.is(error) ? [error.code, error.details?.["param"]] : error;
  }
  return "accepted";
};
