import type { JsonObject, ModelCall, ToolEvent } from "../../calls/index.js";
import type { Content } from "../step.js";
import { mapCall, type CallVisitor, type Place } from "./content/map-call.js";
import { mapAnswered, mapResult } from "./content/map-result.js";
import { inspect, stageOf, type Active, type Inspection, type Slot } from "./inspect.js";

/** What a model is given belongs to its input, also what tools answered before. */
const GIVEN = { input: ["input"], results: ["results", "input"], arguments: ["arguments"] } as const;
/** What passes between a client and a server, each with its own stage. */
const PASSED = { input: ["input"], results: ["results"], arguments: ["arguments"] } as const;

/**
 * What passes between a server that asks in the middle of a call and whoever made the call: a question comes from outside, as results do; an answer goes to a server, as arguments do. What is given back is the value itself when there
 * was nothing to change. Errors of both: `content_blocked`, `payload_too_large`, `cancelled`.
 */
export interface QuestionGuard {
  /** The parameters of what is asked. */
  question(said: JsonObject, signal: AbortSignal): Promise<JsonObject>;
  /** The result that it is answered with. */
  answer(said: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

/** What a call says, as the guardrails leave it; the content itself when they changed nothing. Errors: what the reporter throws. */
export async function guardContent(content: Content, active: readonly Active[], o: Inspection): Promise<Content> {
  if (content.kind === "tool") {
    const slot: Slot = { text: content.arguments, kind: "json", stages: ["arguments"], group: 0, tool: content.name };
    await inspect([slot], active, o);
    return slot.text === content.arguments ? content : { ...content, arguments: slot.text };
  }
  const call = await guarded<ModelCall>(content.call, (call, visitor) => mapCall(call, visitor), { active, stages: GIVEN, ...o });
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
      const raw = await guardEvent(event.result.raw, active, o);
      yield raw === event.result.raw ? event : { ...event, result: { ...event.result, raw } };
    } else if (event.message === undefined) yield event;
    else {
      const slot: Slot = { text: event.message, kind: "aside", stages: ["results"], group: 0 };
      await inspect([slot], active, o);
      yield { ...event, message: slot.text };
    }
  }
}

/** Questions passed when they were asked, and what a client knows a task by is ours. */
async function guardEvent(raw: JsonObject, active: readonly Active[], o: Inspection): Promise<JsonObject> {
  const type = raw["resultType"];
  if (type === "input_required") return raw;
  if (type !== "task") return guardResult(raw, active, o);
  const { taskId, ...said } = raw;
  const left = await guardResult(said, active, o);
  return left === said ? raw : { ...left, ...(taskId === undefined ? {} : { taskId }) };
}

/** The result of a tool, a resource or a prompt in MCP, or what a server asks. */
export function guardResult(raw: JsonObject, active: readonly Active[], o: Inspection): Promise<JsonObject> {
  return guarded(raw, mapResult, { active, stages: PASSED, ...o });
}

/** What a client answers a server's question. */
export function guardAnswered(raw: JsonObject, active: readonly Active[], o: Inspection): Promise<JsonObject> {
  return guarded(raw, mapAnswered, { active, stages: PASSED, ...o });
}

type Mapping<T> = (value: T, visitor: CallVisitor) => T;

async function guarded<T>(
  value: T,
  map: Mapping<T>,
  o: Inspection & { readonly active: readonly Active[]; readonly stages: Readonly<Record<Place["stage"], Slot["stages"]>> },
): Promise<T> {
  const slots: Slot[] = [];
  const { stages } = o;
  map(value, {
    text: (text, { kind, stage, group, tool }) => {
      slots.push({ text, kind, stages: stages[stage], group, tool });
      return text;
    },
    unseen: (what, stage) => {
      for (const { guardrail } of o.active) {
        const reported = stageOf(guardrail, stages[stage]);
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
