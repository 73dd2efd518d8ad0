import { KeyTable } from "../../../util/json-scanner.js";
import type { ScannedHead } from "../../shared/codec.js";
import { invalid } from "../../shared/fields.js";
import { readBoolean, readInteger, readModel, scanSpans } from "../../shared/head-spans.js";

/** What somebody acts on: policy by the head, the splice, and the vendor by the rest. None may stand twice. */
const headKeys = new KeyTable([
  "model",
  "messages",
  "system",
  "stream",
  "max_tokens",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "metadata",
]);

/** `Codec.scanHead` of Messages. Usage is in every stream of this protocol, so it is always wanted. */
export function scanHead(bytes: Uint8Array): ScannedHead {
  const spans = scanSpans(bytes, headKeys);
  const name = readModel(bytes, spans);
  const messages = spans["messages"];
  if (messages === undefined) throw invalid("messages", "is missing");
  if (bytes[messages.start] !== 0x5b) throw invalid("messages", "must be a list");
  return {
    kind: "model",
    protocol: "anthropic-messages",
    operation: "generate",
    name,
    stream: readBoolean(bytes, spans, "stream"),
    maxOutputTokens: readInteger(bytes, spans, "max_tokens"),
    bytes: bytes.length,
    spans,
    wantsUsage: true,
  };
}
