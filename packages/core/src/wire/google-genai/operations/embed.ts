import type { EmbedAnswer, EmbedCall, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import type { EmbedCodec, EncodedRequest, PathHead, Quirks, Warning } from "../../shared/codec.js";
import { invalid, unsupported, type Fields } from "../../shared/fields.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { decodeUsage, encodeUsage } from "../answer/usage.js";
import { errorInBody } from "../decode-error.js";
import { asExtras, googleExtras, said } from "../extras.js";
import { isVertexPath, methodPath, modelField } from "../model-path.js";
import { requestHeaders } from "../../shared/requests/request-headers.js";
import { camelKeys, fieldsOf, googleFields } from "../proto-json.js";

type Json = Readonly<Record<string, unknown>>;
/** `single`: `:embedContent`; `batch`: `:batchEmbedContents`; `predict`: Vertex AI's `:predict`. Each has a form of its own for the answer. */
type Form = "single" | "batch" | "predict";

/** Source: https://ai.google.dev/api/embeddings and https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api. */
export const embed: EmbedCodec = { decodeRequest, encodeAnswer, maxInputs: 100, encodeRequest, decodeAnswer };

/** The body's form says which method was called. */
function decodeRequest(bytes: Uint8Array, path?: PathHead): EmbedCall {
  const body = googleFields(parseCallerJson(bytes));
  if (path === undefined || path.model === "") throw invalid("model", "is missing: the path has to name it");
  const requests = body.optionalList("requests");
  if (requests !== undefined) {
    const items = requests.map((request, i) => decodeItem(googleFields(request, `requests[${i}]`)));
    return asCall(path.model, items, { form: "batch", ...body.rest() });
  }
  const instances = body.optionalList("instances");
  if (instances === undefined) return asCall(path.model, [decodeItem(body)], { form: "single" });
  const dimensions = fieldsOf(body, "parameters")?.optionalInteger("outputDimensionality");
  const items = instances.map((instance, i) => decodeInstance(googleFields(instance, `instances[${i}]`), dimensions));
  return asCall(path.model, items, { form: "predict" });
}

interface Item {
  readonly text: string;
  readonly path: string;
  readonly about: Pick<EmbedCall, "taskType" | "title" | "dimensions">;
  readonly own: Json | undefined;
}

function decodeItem(request: Fields): Item {
  const content = fieldsOf(request, "content");
  if (content === undefined) throw invalid(request.path("content"), "is missing");
  content.optionalString("role");
  const text = content.list("parts").map((value, i) => {
    const part = googleFields(value, `${content.path("parts")}[${i}]`);
    const given = part.optionalString("text");
    if (given === undefined) throw unsupported(`${content.path("parts")}[${i}]`, "is no text, and nothing else can be embedded");
    return given;
  });
  request.optionalString("model");
  const about = readAbout(fieldsOf(request, "embedContentConfig"), readAbout(request, {}));
  // Parts of one content are one vector; between texts of their own stands what parts lines.
  return { text: text.join("\n"), path: request.path(""), about, own: request.rest() };
}

/** On Vertex AI the options of a content stand apart from it. */
function readAbout(fields: Fields | undefined, given: Item["about"]): Item["about"] {
  return {
    taskType: fields?.optionalString("taskType") ?? given.taskType,
    title: fields?.optionalString("title") ?? given.title,
    dimensions: fields?.optionalInteger("outputDimensionality") ?? given.dimensions,
  };
}

function decodeInstance(instance: Fields, dimensions: number | undefined): Item {
  const about = { taskType: instance.optionalString("taskType"), title: instance.optionalString("title"), dimensions };
  return { text: instance.string("content"), path: instance.path(""), about, own: instance.rest() };
}

/** What the vectors are for is said once a call in neutral shape. */
function asCall(model: string, items: readonly Item[], own: Json): EmbedCall {
  const [first] = items;
  if (first === undefined) throw invalid("requests", "must not be empty");
  for (const { about, path } of items)
    for (const key of ["taskType", "title", "dimensions"] as const)
      if (about[key] !== first.about[key])
        throw unsupported(
          `${path}${key === "dimensions" ? "outputDimensionality" : key}`,
          "is another one than in the first request, which one call cannot say",
        );
  return { model, inputs: items.map((item) => item.text), ...said(first.about), ...asExtras({ ...first.own, ...own }) };
}

function formOf(call: EmbedCall): Form {
  const { form } = googleExtras(call);
  return form === "batch" || form === "predict" || form === "single" ? form : call.inputs.length === 1 ? "single" : "batch";
}

function encodeAnswer(answer: EmbedAnswer, call: EmbedCall): Uint8Array {
  const form = formOf(call);
  const usage = encodeUsage(answer.usage, undefined);
  const counted = usage === null ? {} : { usageMetadata: usage };
  const vectors = answer.vectors.map((values) => ({ values }));
  if (form === "predict") return utf8(JSON.stringify({ predictions: vectors.map((embeddings) => ({ embeddings })), ...counted }));
  return utf8(JSON.stringify(form === "batch" ? { embeddings: vectors, ...counted } : { embedding: vectors[0], ...counted }));
}

function encodeRequest(call: EmbedCall, o: { readonly model: string; readonly quirks: Quirks }): EncodedRequest {
  const texts = call.inputs.map((input, i) => {
    if (typeof input === "string") return input;
    throw unsupported(`inputs[${i}]`, "is given as tokens, which Google does not take");
  });
  const warnings: Warning[] = call.user === undefined ? [] : [{ field: "user", what: "was left out: Google has no field for it" }];
  const { method, body } = isVertexPath(o.quirks) ? onVertex(call, texts, o.model) : onGemini(call, texts, o.model);
  return {
    path: methodPath(o.model, method, o.quirks),
    headers: requestHeaders(false),
    bytes: utf8(JSON.stringify(body)),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

interface Asked {
  readonly method: "embedContent" | "batchEmbedContents" | "predict";
  readonly body: Json;
}

function onGemini(call: EmbedCall, texts: readonly string[], model: string): Asked {
  const { form: _form, ...own } = googleExtras(call);
  const about = { taskType: call.taskType, title: call.title, outputDimensionality: call.dimensions };
  const request = (text: string) => ({ ...own, model: modelField(model), content: { parts: [{ text }] }, ...about });
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) return { method: "embedContent", body: request(only) };
  return { method: "batchEmbedContents", body: { requests: texts.map(request) } };
}

/** Vertex AI has two methods, of which a model knows one: as Google's SDK tells them apart, newer Gemini models embed one content, all others predict. */
function onVertex(call: EmbedCall, texts: readonly string[], model: string): Asked {
  const { taskType, title, dimensions } = call;
  if (!/gemini|maas/.test(model) || model.endsWith("gemini-embedding-001"))
    return {
      method: "predict",
      body: {
        instances: texts.map((content) => ({ content, task_type: taskType, title })),
        ...(dimensions === undefined ? {} : { parameters: { outputDimensionality: dimensions } }),
      },
    };
  const [text, ...others] = texts;
  if (text === undefined || others.length > 0) throw unsupported("inputs", "has several texts, of which this model embeds one a call");
  const config = said({ taskType, title, outputDimensionality: dimensions });
  return {
    method: "embedContent",
    body: { content: { parts: [{ text }] }, ...(config === undefined ? {} : { embedContentConfig: config }) },
  };
}

function decodeAnswer(bytes: Uint8Array): EmbedAnswer {
  const body = parseUpstreamJson(bytes);
  const error = errorInBody(body);
  if (error !== null) throw error;
  const given = camelKeys(body) as Json;
  const predictions = listOf(given["predictions"]).map((prediction) => prediction["embeddings"]);
  const one = given["embedding"];
  const vectors = [...listOf(given["embeddings"]), ...predictions, ...(one === undefined ? [] : [one])].map(valuesOf);
  if (vectors.length === 0) throw new GatewayError("upstream_protocol", "The vendor's answer has no vectors.");
  return { model: "", vectors, usage: usageOf(given["usageMetadata"], predictions) };
}

function valuesOf(embedding: unknown): readonly number[] {
  const values = isObject(embedding) ? embedding["values"] : undefined;
  if (Array.isArray(values) && values.every((value) => typeof value === "number")) return values;
  throw new GatewayError("upstream_protocol", "A vector of the vendor's answer is no list of numbers.");
}

/** The Gemini API counts for the whole call, Vertex AI for each text. */
function usageOf(metadata: unknown, predictions: readonly unknown[]): Usage {
  const counts = predictions.map((prediction) => {
    const statistics = isObject(prediction) ? camelKeys(prediction["statistics"]) : undefined;
    return isObject(statistics) && typeof statistics["tokenCount"] === "number" ? statistics["tokenCount"] : NaN;
  });
  const sum = counts.reduce((all, tokens) => all + tokens, 0);
  if (counts.length > 0 && Number.isSafeInteger(sum)) return { inputTokens: sum };
  const { inputTokens } = decodeUsage(metadata);
  return inputTokens === undefined ? {} : { inputTokens };
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
