import type { JsonObject, ModelCall, ToolEvent } from "../../calls/index.js";
import type { Content } from "../step.js";
import { mapCall, type CallVisitor } from "./content/map-call.js";
import { mapResult } from "./content/map-result.js";
import { inspect, stageOf, type Active, type Inspection, type Slot } from "./inspect.js";

/** What a model is given belongs to its input, also what tools answered before. */
const STAGES = { input: ["input"], results: ["results", "input"] } as const;

/** What a call says, as the guardrails leave it; the content itself when they changed nothing. Errors: what the reporter throws. */
export async function guardContent(content: Content, active: readonly Active[], o: Inspection): Promise<Content> {
  if (content.kind === "tool") {
    const slot: Slot = { text: content.arguments, kind: "json", stages: ["arguments"], group: 0, tool: content.name };
    await inspect([slot], active, o);
    return slot.text === content.arguments ? content : { ...content, arguments: slot.text };
  }
  const call = await guarded<ModelCall>(content.call, (call, visitor) => mapCall(call, visitor), { active, ...o });
  return call === content.call ? content : { kind: "model", call };
}

/** What tools answer, as the guardrails leave it, and what they say of their progress. */
export async function* guardToolEvents(
  source: AsyncIterable<ToolEvent>,
  active: readonly Active[],
  o: Inspection,
): AsyncGenerator<ToolEvent> {
  for await (const event of source) {
    if (event.type === "result") {
      const raw = await guardResult(event.result.raw, active, o);
      yield raw === event.result.raw ? event : { ...event, result: { ...event.result, raw } };
    } else if (event.message === undefined) yield event;
    else {
      const slot: Slot = { text: event.message, kind: "aside", stages: ["results"], group: 0 };
      await inspect([slot], active, o);
      yield { ...event, message: slot.text };
    }
  }
}

/** The result of a tool, a resource or a prompt in MCP. */
export function guardResult(raw: JsonObject, active: readonly Active[], o: Inspection): Promise<JsonObject> {
  return guarded(raw, mapResult, { active, ...o, isResult: true });
}

type Mapping<T> = (value: T, visitor: CallVisitor) => T;

async function guarded<T>(
  value: T,
  map: Mapping<T>,
  o: Inspection & { readonly active: readonly Active[]; readonly isResult?: true },
): Promise<T> {
  const slots: Slot[] = [];
  const stagesOf = (stage: "input" | "results") => (o.isResult === true ? (["results"] as const) : STAGES[stage]);
  map(value, {
    text: (text, { kind, stage, group, tool }) => {
      slots.push({ text, kind, stages: stagesOf(stage), group, tool });
      return text;
    },
    unseen: (what, stage) => {
      for (const { guardrail } of o.active) {
        const reported = stageOf(guardrail, stagesOf(stage));
        if (reported !== null) o.reporter.unseen(guardrail, what, { stage: reported });
      }
    },
  });
  const before = slots.map(({ text }) => text);
  await inspect(slots, o.active, o);
  if (slots.every(({ text }, i) => text === before[i])) return value;
  let next = 0;
  return map(value, { text: () => slots[next++]!.text, unseen: () => undefined });
}
