import type { ModelAnswer, ModelEvent, ToolCallPart } from "../../../calls/index.js";
import { textInput } from "./text-tools.js";

/** What was done to tools, to be undone in the answer. */
export interface Renamed {
  /** The caller's name for each of the target's that was made. */
  readonly names: ReadonlyMap<string, string>;
  /** The target's names of functions that stand for tools of text. */
  readonly textTools: ReadonlySet<string>;
}

export function restoreAnswer(answer: ModelAnswer, renamed: Renamed): ModelAnswer {
  const candidates = answer.candidates.map((candidate) => {
    const content = candidate.content.map((part) => (part.type === "tool-call" ? restoreCall(part, renamed) : part));
    return content.some((part, i) => part !== candidate.content[i]) ? { ...candidate, content } : candidate;
  });
  return candidates.some((candidate, i) => candidate !== answer.candidates[i]) ? { ...answer, candidates } : answer;
}

function restoreCall(call: ToolCallPart, { names, textTools }: Renamed): ToolCallPart {
  const name = names.get(call.name);
  const named = name === undefined ? call : { ...call, name };
  return textTools.has(call.name) ? { ...named, input: "text", arguments: textInput(call.arguments) } : named;
}

/** The text of a tool is known only when its function's arguments are whole; until then nothing of them is told. */
export async function* restoreEvents(events: AsyncIterable<ModelEvent>, { names, textTools }: Renamed): AsyncGenerator<ModelEvent> {
  const held = new Map<string, string>();
  for await (const event of events) {
    switch (event.type) {
      case "tool-call-start": {
        const text = textTools.has(event.name);
        if (text) held.set(`${event.index}/${event.block}`, "");
        yield { ...event, name: names.get(event.name) ?? event.name, ...(text ? { input: "text" } : {}) };
        break;
      }
      case "tool-call-delta": {
        const key = `${event.index}/${event.block}`;
        const before = held.get(key);
        if (before === undefined) yield event;
        else held.set(key, before + event.text);
        break;
      }
      case "tool-call-end": {
        const key = `${event.index}/${event.block}`;
        const whole = held.get(key);
        held.delete(key);
        const text = whole === undefined ? "" : textInput(whole);
        if (text !== "") yield { type: "tool-call-delta", index: event.index, block: event.block, text };
        yield event;
        break;
      }
      default:
        yield event;
    }
  }
}
