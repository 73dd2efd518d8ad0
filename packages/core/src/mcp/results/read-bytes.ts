import type { JsonObject } from "../../calls/index.js";
import { parseJsonText } from "../../util/json.js";
import { changedText } from "../frames/changed-text.js";
import { textAt } from "../frames/json-scan.js";
import { idText, readMessage, upstreamPlan } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";

/** An answer of a server, result or error, as who reads it leaves it: what it did not change stands as it stood, and nothing stands beside it. Errors: those of the reader. */
export async function readBytes(answer: Uint8Array, read: (said: JsonObject) => Promise<JsonObject>): Promise<Uint8Array> {
  const message = readMessage(answer, upstreamPlan);
  const [name, node] = message.error === null ? (["result", message.result!] as const) : (["error", message.error] as const);
  const text = textAt(answer, node);
  const left = changedText(answer.subarray(node.start, node.end), await read(parseJsonText(text) as JsonObject)) ?? text;
  return utf8(`{"jsonrpc":"2.0","id":${idText(message)},"${name}":${left}}`);
}
