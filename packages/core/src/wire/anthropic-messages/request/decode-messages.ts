import type { Message, ToolResultPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { Fields, invalid } from "../../shared/fields.js";
import { asExtras } from "../extras.js";
import { blocksOf, decodeAssistantBlock, decodeText, decodeUserBlock, type UserPart } from "./decode-blocks.js";

/** `messages`, in order. `inputs` are the JSON texts of the calls' inputs, by message and block (`rawJsonAt`). */
export function decodeMessages(list: readonly unknown[], inputs: ReadonlyMap<string, string>): Message[] {
  return list.flatMap((value, i) => decodeMessage(new Fields(value, `messages[${i}]`), (j) => inputs.get(`${i}.${j}`)));
}

function decodeMessage(fields: Fields, inputOf: (block: number) => string | undefined): Message[] {
  const role = fields.string("role");
  switch (role) {
    case "system":
      return [decodeSystemMessage(fields)];
    case "user":
      return decodeUser(fields);
    case "assistant": {
      const content = eachBlock(fields).map(([block, value], j) => decodeAssistantBlock(block, value, inputOf(j)));
      return [{ role, content, ...asExtras(fields.rest()) }];
    }
    default:
      throw invalid(fields.path("role"), 'must be "user", "assistant" or "system"');
  }
}

/** What stands beside text in it (tools that are added or taken away) goes back with all of it, to this protocol alone. */
function decodeSystemMessage(fields: Fields): Message {
  const given = blocksOf(fields);
  const isText = (value: unknown) => isObject(value) && value["type"] === "text";
  const content = given.flatMap((value, j) => (isText(value) ? [decodeText(new Fields(value, `${fields.path("content")}[${j}]`))] : []));
  return { role: "system", content, ...asExtras({ ...fields.rest(), content: content.length === given.length ? undefined : given }) };
}

/** A turn of the user holds the results of tools and what the user says: two messages, results first. */
function decodeUser(fields: Fields): Message[] {
  const results: ToolResultPart[] = [];
  const said: UserPart[] = [];
  for (const [block, value] of eachBlock(fields)) {
    const part = decodeUserBlock(block, value);
    if (part.type === "tool-result") results.push(part);
    else said.push(part);
  }
  const own = asExtras(fields.rest());
  if (results.length === 0) return [{ role: "user", content: said, ...own }];
  const answered: Message = { role: "tool", content: results };
  return said.length === 0 ? [{ ...answered, ...own }] : [answered, { role: "user", content: said, ...own }];
}

function eachBlock(fields: Fields): [Fields, unknown][] {
  return blocksOf(fields).map((value, j) => [new Fields(value, `${fields.path("content")}[${j}]`), value]);
}
