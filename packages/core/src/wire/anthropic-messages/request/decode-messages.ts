import type { Message, ToolResultPart } from "../../../calls/index.js";
import { Fields, invalid } from "../../shared/fields.js";
import { asExtras } from "../extras.js";
import { blocksOf, decodeAssistantBlock, decodeSystem, decodeUserBlock, type UserPart } from "./decode-blocks.js";

/** `messages`, in order. `inputs` are the JSON texts of the calls' inputs, by message and block (`rawJsonAt`). */
export function decodeMessages(list: readonly unknown[], inputs: ReadonlyMap<string, string>): Message[] {
  return list.flatMap((value, i) => decodeMessage(new Fields(value, `messages[${i}]`), (j) => inputs.get(`${i}.${j}`)));
}

function decodeMessage(fields: Fields, inputOf: (block: number) => string | undefined): Message[] {
  const role = fields.string("role");
  switch (role) {
    case "system":
      return [{ role, content: decodeSystem(fields, "content"), ...asExtras(fields.rest()) }];
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
