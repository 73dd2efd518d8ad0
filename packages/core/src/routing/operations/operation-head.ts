import type { MediaPart, ModelCall, ModelHead, OperationName, Operations, ProtocolId } from "../../calls/index.js";
import { neutralHead } from "../neutral-head.js";
import { textsOf } from "./operation-texts.js";

type Call = Operations[OperationName]["call"];
/** Texts that came as numbers of tokens. */
const TOKENS = "application/vnd.tokens";

/** What policy may know of an operation without reading it. `bytes` counts characters of its texts and bytes of its media. */
export function operationHead(name: OperationName, call: Call, o: { readonly name: string; readonly protocol: ProtocolId }): ModelHead {
  if (name === "count-tokens") return { ...neutralHead(call as ModelCall, o), operation: name, stream: false };
  return {
    kind: "model",
    protocol: o.protocol,
    operation: name,
    name: o.name,
    stream: false,
    maxOutputTokens: undefined,
    choices: "n" in call ? call.n : undefined,
    seconds: "seconds" in call ? call.seconds : undefined,
    bytes: textsOf(call).reduce((sum, text) => sum + text.length, 0) + mediaBytesOf(call),
  };
}

/** The same call as a conversation of one turn: what a step reads that judges content. Of what is no text only its kind is there. */
export function operationContent(name: OperationName, call: Call): ModelCall {
  if (name === "count-tokens") return call as ModelCall;
  const texts = textsOf(call).map((text) => ({ type: "text" as const, text }));
  const { extras } = call;
  return {
    model: call.model,
    messages: [{ role: "user", content: [...texts, ...mediaOf(call)] }],
    ...(extras === undefined ? {} : { extras }),
  };
}

function mediaOf(call: Call): MediaPart[] {
  const types: string[] = [];
  if ("audio" in call) types.push(call.audio.mediaType);
  if ("images" in call) for (const image of call.images ?? []) types.push(image.mediaType);
  if ("image" in call && call.image !== undefined) types.push(call.image.mediaType);
  if ("inputs" in call && (call.inputs as readonly unknown[]).some(Array.isArray)) types.push(TOKENS);
  return types.map((mediaType) => ({ type: "media", mediaType, source: { kind: "file", id: "" } }));
}

function mediaBytesOf(call: Call): number {
  let bytes = 0;
  if ("audio" in call) bytes += call.audio.bytes.length;
  if ("images" in call) for (const image of call.images ?? []) bytes += image.bytes.length;
  if ("mask" in call) bytes += call.mask?.bytes.length ?? 0;
  if ("image" in call) bytes += call.image?.bytes.length ?? 0;
  return bytes;
}
