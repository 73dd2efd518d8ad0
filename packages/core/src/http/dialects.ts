import type { ProtocolId } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import { anthropicMessages } from "../wire/anthropic-messages/index.js";
import { googleGenai } from "../wire/google-genai/index.js";
import { openaiChat } from "../wire/openai-chat/index.js";
import { openaiResponses } from "../wire/openai-responses/index.js";
import type { Codec } from "../wire/shared/codec.js";

/** The dialects that have a face here; a face renders its errors by its codec. */
export const dialects: Readonly<Partial<Record<ProtocolId, Codec>>> = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "anthropic-messages": anthropicMessages,
  "google-genai": googleGenai,
};

/** Errors: `unsupported_feature` for a dialect that this version does not speak. */
export function dialectOf(protocol: ProtocolId): Codec {
  const codec = dialects[protocol];
  if (codec === undefined) throw new GatewayError("unsupported_feature", `This version does not speak ${protocol}.`);
  return codec;
}
