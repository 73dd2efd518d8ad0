import type { ProtocolId } from "../calls/index.js";
import { openaiChat } from "../wire/openai-chat/index.js";
import type { Codec } from "../wire/shared/codec.js";

/** The dialects that have a face here; a face renders its errors by its codec. */
export const dialects: Readonly<Partial<Record<ProtocolId, Pick<Codec, "encodeError">>>> = { "openai-chat": openaiChat };
