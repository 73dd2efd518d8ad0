import type { ModelCall, ModelHead, OperationName, Operations, ProtocolId } from "../../calls/index.js";
import { neutralHead } from "../neutral-head.js";

type Call = Operations[OperationName]["call"];

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
    bytes: textsOf(call).reduce((sum, text) => sum + text.length, 0) + mediaBytesOf(call),
  };
}

/** The same call as a conversation of one turn: what a step reads that judges content. */
export function operationContent(name: OperationName, call: Call): ModelCall {
  if (name === "count-tokens") return call as ModelCall;
  return { model: call.model, messages: [{ role: "user", content: textsOf(call).map((text) => ({ type: "text", text })) }] };
}

function textsOf(call: Call): string[] {
  const texts: string[] = [];
  if ("inputs" in call)
    for (const input of call.inputs) {
      if (typeof input === "string") texts.push(input);
      else if ("imageUrl" in input) texts.push(input.imageUrl);
      else texts.push(input.join(" "));
    }
  if ("prompt" in call && call.prompt !== undefined) texts.push(call.prompt);
  if ("input" in call) texts.push(call.input);
  if ("instructions" in call && call.instructions !== undefined) texts.push(call.instructions);
  return texts;
}

function mediaBytesOf(call: Call): number {
  let bytes = 0;
  if ("audio" in call) bytes += call.audio.bytes.length;
  if ("images" in call) for (const image of call.images ?? []) bytes += image.bytes.length;
  if ("mask" in call) bytes += call.mask?.bytes.length ?? 0;
  if ("image" in call) bytes += call.image?.bytes.length ?? 0;
  return bytes;
}
