import type { ModelAnswer, ModelCall, ModelEvent, ToolCallPart, ToolSpec } from "../../../calls/index.js";

type Marks = ReadonlyMap<string, NonNullable<ToolSpec["calledAs"]>>;

/**
 * The events of an answer with calls as whoever declared the tools knows them (`ToolSpec.calledAs`): the first call of each candidate; others beside it are told as any, since such a dialect has a place
 * for one. The very same events when no tool says so.
 */
export function markEvents(events: AsyncIterable<ModelEvent>, call: Pick<ModelCall, "tools">): AsyncIterable<ModelEvent> {
  const marks = marksOf(call);
  return marks === null ? events : marked(events, marks);
}

/** The same with a whole answer. */
export function markAnswer(answer: ModelAnswer, call: Pick<ModelCall, "tools">): ModelAnswer {
  const marks = marksOf(call);
  if (marks === null) return answer;
  const candidates = answer.candidates.map((candidate) => {
    const first = candidate.content.findIndex((part) => part.type === "tool-call");
    const made = candidate.content[first] as ToolCallPart | undefined;
    const as = made === undefined ? undefined : marks.get(made.name);
    return as === undefined ? candidate : { ...candidate, content: candidate.content.with(first, { ...made!, ...as }) };
  });
  return { ...answer, candidates };
}

function marksOf({ tools }: Pick<ModelCall, "tools">): Marks | null {
  let marks: Map<string, NonNullable<ToolSpec["calledAs"]>> | null = null;
  for (const tool of tools ?? [])
    if (!("hosted" in tool) && tool.calledAs !== undefined) (marks ??= new Map()).set(tool.name, tool.calledAs);
  return marks;
}

async function* marked(events: AsyncIterable<ModelEvent>, marks: Marks): AsyncGenerator<ModelEvent> {
  const called = new Set<number>();
  for await (const event of events) {
    if (event.type !== "tool-call-start" || called.has(event.index)) {
      yield event;
      continue;
    }
    called.add(event.index);
    yield { ...event, ...marks.get(event.name) };
  }
}
