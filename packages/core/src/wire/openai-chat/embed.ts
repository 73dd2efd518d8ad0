import type { EmbedAnswer, EmbedCall } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";
import { parseCallerJson } from "../../util/json-checks/caller-json.js";
import type { EmbedCodec, Warning } from "../shared/codec.js";
import { Fields, invalid } from "../shared/fields.js";
import { parseUpstreamJson } from "../shared/upstream-json.js";

/** Source: https://platform.openai.com/docs/api-reference/embeddings/create; read in November 2026. */
const MAX_INPUTS = 2048;
const encoder = new TextEncoder();

/** OpenAI's embeddings, and those of who imitates them. Vectors in base64 are float32, little-endian. */
export const embed: EmbedCodec = {
  maxInputs: MAX_INPUTS,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  decodeAnswer,
};

function decodeRequest(bytes: Uint8Array): EmbedCall {
  const fields = new Fields(parseCallerJson(bytes));
  const model = fields.string("model");
  const inputs = inputsOf(fields.raw("input"));
  const dimensions = fields.optionalInteger("dimensions");
  if (dimensions !== undefined && dimensions < 1) throw invalid("dimensions", "must be at least 1");
  const user = fields.optionalString("user");
  const format = fields.raw("encoding_format");
  if (format !== undefined && format !== null && format !== "float" && format !== "base64")
    throw invalid("encoding_format", 'must be "float" or "base64"');
  const extras = { ...(typeof format === "string" ? { encoding_format: format } : {}), ...fields.rest() };
  return {
    model,
    inputs,
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(user === undefined ? {} : { user }),
    ...(Object.keys(extras).length === 0 ? {} : { extras: { "openai-chat": extras } }),
  };
}

function inputsOf(input: unknown): (string | number[])[] {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input)) throw invalid("input", "must be a text, a list of texts, or lists of token numbers");
  if (input.length === 0) throw invalid("input", "must not be empty");
  if (isTokens(input)) return [input];
  return input.map((each: unknown, at) => {
    if (typeof each === "string" || (Array.isArray(each) && each.length > 0 && isTokens(each))) return each;
    throw invalid(`input[${at}]`, "must be a text or a list of token numbers");
  });
}

function isTokens(list: readonly unknown[]): list is number[] {
  return list.every((token) => typeof token === "number" && Number.isSafeInteger(token) && token >= 0);
}

function encodeAnswer(answer: EmbedAnswer, call: EmbedCall): Uint8Array {
  const asBase64 = call.extras?.["openai-chat"]?.["encoding_format"] === "base64";
  // OpenAI's shape has no place for "unknown".
  const tokens = answer.usage.inputTokens ?? 0;
  return encoder.encode(
    JSON.stringify({
      object: "list",
      data: answer.vectors.map((vector, index) => ({ object: "embedding", index, embedding: asBase64 ? toBase64(vector) : vector })),
      model: answer.model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    }),
  );
}

function encodeRequest(call: EmbedCall, o: { readonly model: string }): ReturnType<EmbedCodec["encodeRequest"]> {
  const { encoding_format: _ours, ...rest } = call.extras?.["openai-chat"] ?? {};
  const warnings: Warning[] = [];
  for (const field of ["taskType", "title"] as const)
    if (call[field] !== undefined) warnings.push({ field, what: "left out: this protocol's embeddings do not say what they are for" });
  const texts = call.inputs.length === 1 ? call.inputs[0] : call.inputs;
  const body = { ...rest, model: o.model, input: texts, dimensions: call.dimensions, user: call.user };
  return {
    path: "/embeddings",
    headers: [["content-type", "application/json"]],
    bytes: encoder.encode(JSON.stringify(body)),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

function decodeAnswer(bytes: Uint8Array): EmbedAnswer {
  const body = parseUpstreamJson(bytes);
  const model = typeof body["model"] === "string" ? body["model"] : "";
  const usage = isObject(body["usage"]) ? body["usage"] : {};
  const tokens = usage["prompt_tokens"] ?? usage["total_tokens"] ?? billedTokens(body);
  return {
    model,
    vectors: vectorsOf(body),
    usage: typeof tokens === "number" && tokens >= 0 ? { inputTokens: tokens, outputTokens: 0 } : {},
  };
}

function vectorsOf(body: Record<string, unknown>): number[][] {
  if (Array.isArray(body["data"])) {
    const vectors: number[][] = [];
    for (const [at, item] of body["data"].entries()) {
      const { index, embedding } = isObject(item) ? item : {};
      vectors[typeof index === "number" && Number.isSafeInteger(index) && index >= 0 ? index : at] = vectorOf(embedding);
    }
    // A hole is an input that got no vector.
    if (vectors.length === body["data"].length && !vectors.includes(undefined as never)) return vectors;
    throw wrong("numbers its vectors wrongly");
  }
  // Cohere's own shape: by type of number, or a bare list.
  const { embeddings } = body;
  const lists = isObject(embeddings) ? embeddings["float"] : embeddings;
  if (Array.isArray(lists)) return lists.map(vectorOf);
  throw wrong("holds no vectors");
}

function vectorOf(value: unknown): number[] {
  if (typeof value === "string") return fromBase64(value);
  if (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "number")) return value;
  throw wrong("holds what is no vector");
}

function billedTokens(body: Record<string, unknown>): unknown {
  const meta = isObject(body["meta"]) ? body["meta"] : {};
  return isObject(meta["billed_units"]) ? meta["billed_units"]["input_tokens"] : undefined;
}

function wrong(what: string): GatewayError {
  return new GatewayError("upstream_protocol", `The vendor's answer to an embedding call ${what}.`);
}

function toBase64(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [at, value] of vector.entries()) view.setFloat32(at * 4, value, true);
  let binary = "";
  for (let at = 0; at < view.byteLength; at++) binary += String.fromCharCode(view.getUint8(at));
  return btoa(binary);
}

function fromBase64(text: string): number[] {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw wrong("holds a vector that is no base64");
  }
  if (binary.length === 0 || binary.length % 4 !== 0) throw wrong("holds a vector that is no list of 32-bit numbers");
  const view = new DataView(Uint8Array.from(binary, (char) => char.charCodeAt(0)).buffer);
  return Array.from({ length: view.byteLength / 4 }, (_each, at) => view.getFloat32(at * 4, true));
}
