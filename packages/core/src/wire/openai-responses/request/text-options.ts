import type { JsonObject, ModelCall, OutputFormat } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import type { Fields } from "../../shared/fields.js";
import type { Json } from "../extras.js";

/** `text`: the form of the output, how much is to be said, and what else stands there (a format that is not known). */
export function decodeTextOptions(fields: Fields): { output?: OutputFormat; verbosity: string | undefined; own?: Json } {
  const text = fields.optionalFields("text");
  const verbosity = text?.optionalString("verbosity");
  const format = text?.optionalFields("format");
  const output = format === undefined ? undefined : decodeFormat(format);
  const own = { ...text?.rest(), ...(format !== undefined && output === undefined ? { format: text?.raw("format") } : {}) };
  return { ...(output === undefined ? {} : { output }), verbosity, ...(Object.keys(own).length === 0 ? {} : { own }) };
}

function decodeFormat(format: Fields): OutputFormat | undefined {
  switch (format.string("type")) {
    case "text":
      return { type: "text" };
    case "json_object":
      return { type: "json" };
    case "json_schema": {
      const strict = format.optionalBoolean("strict");
      const description = format.optionalString("description");
      return {
        type: "json-schema",
        name: format.string("name"),
        schema: (format.optionalObject("schema") ?? {}) as JsonObject,
        ...(strict === undefined ? {} : { strict }),
        ...(description === undefined ? {} : { description }),
      };
    }
    default:
      return undefined;
  }
}

export function encodeTextOptions({ output, verbosity }: Pick<ModelCall, "output" | "verbosity">, own: unknown): { text?: Json } {
  const text = {
    ...(isObject(own) ? own : {}),
    ...(output === undefined ? {} : { format: encodeFormat(output) }),
    ...(verbosity === undefined ? {} : { verbosity }),
  };
  return Object.keys(text).length === 0 ? {} : { text };
}

function encodeFormat(output: OutputFormat): Json {
  switch (output.type) {
    case "text":
      return { type: "text" };
    case "json":
      return { type: "json_object" };
    case "json-schema": {
      const { name, schema, strict, description } = output;
      return { type: "json_schema", name, description, schema, strict };
    }
  }
}

/** `reasoning`: how much, and whether a summary of it is wanted; which kind of summary rides along unless it is the vendor's choice. */
export function decodeReasoningOptions(fields: Fields): { reasoning?: ModelCall["reasoning"]; own?: Json } {
  const given = fields.optionalFields("reasoning");
  if (given === undefined) return {};
  const effort = given.optionalString("effort");
  const summary = given.optionalString("summary");
  const own = { ...given.rest(), ...(summary === undefined || summary === "auto" ? {} : { summary }) };
  const asked = { ...(effort === undefined ? {} : { effort }), ...(summary === undefined ? {} : { visible: true }) };
  if (Object.keys(own).length === 0) return { reasoning: asked };
  return { own, ...(Object.keys(asked).length === 0 ? {} : { reasoning: asked }) };
}

export function encodeReasoningOptions(reasoning: ModelCall["reasoning"], given: unknown): { reasoning?: Json } {
  const own = isObject(given) ? given : {};
  const { effort, visible } = reasoning ?? {};
  const { summary, ...rest } = own;
  const said = {
    ...rest,
    ...(effort === undefined ? {} : { effort }),
    ...(visible === true ? { summary: summary ?? "auto" } : {}),
  };
  return reasoning === undefined && Object.keys(said).length === 0 ? {} : { reasoning: said };
}
