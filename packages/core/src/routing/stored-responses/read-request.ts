import { GatewayError } from "../../errors/index.js";
import { KeyTable } from "../../util/json-scanner.js";
import { isObject } from "../../util/json.js";
import { invalid } from "../../wire/shared/fields.js";
import { JsonFields } from "./json-fields.js";

const table = new KeyTable(["model", "input", "include", "stream", "store", "background", "previous_response_id", "conversation"]);

/** What of a request the gateway itself acts on; all else goes on untouched. */
export interface ResponsesRequest {
  readonly fields: JsonFields;
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Also when nothing was said, as in OpenAI's API. */
  readonly store: boolean;
  readonly background: boolean;
  readonly previousId: string | undefined;
  /** The text of a JSON list; a text of the caller's is one message of the user. */
  readonly input: string;
}

/**
 * Errors: `invalid_json`, `validation_failed` naming the field, `unsupported_feature` for `conversation`: what a vendor keeps under its own id belongs to everybody who shares the
 * vendor's key.
 */
export function readRequest(bytes: Uint8Array): ResponsesRequest {
  const fields = new JsonFields(bytes, table);
  if (fields.raw("conversation") !== undefined)
    throw new GatewayError("unsupported_feature", 'The field "conversation" names something that only its vendor keeps.', {
      hint: "Continue with previous_response_id: the gateway keeps responses itself.",
      details: { param: "conversation" },
    });
  const store = fields.flag("store") ?? true;
  const background = fields.flag("background") ?? false;
  if (background && !store) throw invalid("background", "needs store: a response that is not kept cannot be asked for later");
  return {
    fields,
    model: fields.text("model"),
    stream: fields.flag("stream") ?? false,
    store,
    background,
    previousId: fields.text("previous_response_id"),
    input: inputList(fields),
  };
}

/** A request to keep nothing, continued by what came before: what goes on to whoever makes the response. */
export function outgoing(
  request: ResponsesRequest,
  o: { readonly input: string | null; readonly stream: boolean; readonly keepReasoning: boolean },
): Uint8Array {
  const { fields } = request;
  const changes: Record<string, string> = {};
  if (request.store) changes["store"] = "false";
  if (request.background) changes["background"] = "false";
  if (request.previousId !== undefined) changes["previous_response_id"] = "null";
  if (o.stream !== request.stream) changes["stream"] = String(o.stream);
  if (o.input !== null) changes["input"] = o.input;
  if (o.keepReasoning) {
    const include = includeWithReasoning(fields.value("include"));
    if (include !== null) changes["include"] = include;
  }
  return Object.keys(changes).length === 0 ? fields.bytes : fields.with(changes);
}

const REASONING = "reasoning.encrypted_content";

/** null: it is asked for already, or the field is something else than a list, which its reader refuses. */
function includeWithReasoning(include: unknown): string | null {
  if (include === undefined) return JSON.stringify([REASONING]);
  if (!Array.isArray(include) || include.includes(REASONING)) return null;
  return JSON.stringify([...(include as unknown[]), REASONING]);
}

function inputList(fields: JsonFields): string {
  const raw = fields.raw("input");
  if (raw === undefined) return "[]";
  if (raw[0] === 0x22) return `[{"type":"message","role":"user","content":${fields.json("input")}}]`;
  if (raw[0] !== 0x5b) throw invalid("input", "must be a string or a list");
  return fields.json("input")!;
}

/** An item that stands for another one by its id. Source: OpenAI's `ItemReferenceParam`, whose `type` may be left out. */
export function referenceOf(item: unknown): string | null {
  if (!isObject(item) || typeof item["id"] !== "string") return null;
  const type = item["type"] ?? undefined;
  const isReference = type === "item_reference" || (type === undefined && item["role"] === undefined && item["content"] === undefined);
  return isReference ? item["id"] : null;
}
