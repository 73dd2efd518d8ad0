import type { AnswerPart, FinishReason, Message, ToolCallPart, Usage } from "../calls/index.js";
import { addUsage } from "../calls/index.js";
import { runStep, type RunRow, type RunStepEntry } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { RecordStore, Within } from "../ports/index.js";

/** What a tool call came to, as the model is told. */
export interface ToolOutcome {
  readonly isError: boolean;
  readonly text: string;
}
/** One model answer and what became of the tools that it asked for. */
export interface Turn {
  readonly step: number;
  readonly content: readonly AnswerPart[];
  readonly finishReason: FinishReason;
  /** A tool call was left out because the answer was cut off within it. */
  readonly cutCall: boolean;
  /** By call id; ids are unique within a turn. */
  readonly outcomes: Map<string, ToolOutcome>;
  /** Calls that were begun by a process that no longer holds the run. */
  readonly begun: ReadonlySet<string>;
  /** Calls that were not made because they wait for a person, and the items of the inbox. */
  readonly parked: Map<string, string>;
}

/** What is written to the journal; the entry's `kind` says which. */
export type JournalEntry =
  | { readonly kind: "model.begun"; readonly step: number; readonly body: { readonly model: string } }
  | {
      readonly kind: "model.done";
      readonly step: number;
      readonly body: {
        readonly content: readonly AnswerPart[];
        readonly finishReason: FinishReason;
        readonly cutCall: boolean;
        readonly usage: Usage;
      };
    }
  | {
      readonly kind: "tool.begun";
      readonly step: number;
      readonly body: { readonly callId: string; readonly name: string; readonly idempotencyKey: string };
    }
  | { readonly kind: "tool.parked"; readonly step: number; readonly body: { readonly callId: string; readonly itemId: string } }
  | { readonly kind: "tool.done"; readonly step: number; readonly body: { readonly callId: string } & ToolOutcome };

/** A run as its journal tells it. */
export interface Replay {
  readonly turns: readonly Turn[];
  /** Of all answers that were complete. */
  readonly usage: Usage;
  /** Of the journal; 0: it is empty. */
  readonly lastSeq: number;
  /** The last attempt that completed anything; 0: none did. */
  readonly lastProgress: number;
}

const PAGE = 500;

/** Reads the whole journal. Errors: `state_corrupt` when it is not one of ours, those of the store. */
export async function readJournal(store: RecordStore, row: RunRow, within: () => Within): Promise<Replay> {
  const scope = { projects: [row.projectId] };
  const turns: (Turn & { readonly begun: Set<string> })[] = [];
  let usage: Usage = {};
  let lastSeq = 0;
  let lastProgress = 0;
  for (;;) {
    const page = await store.read(runStep, row.id, { afterSeq: lastSeq, limit: PAGE }, scope, within());
    for (const { seq, entry } of page) {
      lastSeq = seq;
      const told = asEntry(entry);
      if (told.kind === "model.done" || told.kind === "tool.done" || told.kind === "tool.parked")
        lastProgress = Math.max(lastProgress, entry.attempt);
      if (told.kind === "model.done") {
        const { content, finishReason, cutCall } = told.body;
        turns.push({ step: told.step, content, finishReason, cutCall, outcomes: new Map(), begun: new Set(), parked: new Map() });
        usage = addUsage(usage, told.body.usage);
      } else if (told.kind !== "model.begun") {
        const turn = turns.at(-1);
        if (turn?.step !== told.step) throw corrupt(row.id, seq);
        const { callId } = told.body;
        turn.parked.delete(callId);
        if (told.kind === "tool.begun") turn.begun.add(callId);
        else if (told.kind === "tool.parked") {
          turn.begun.delete(callId);
          turn.parked.set(callId, told.body.itemId);
        } else turn.outcomes.set(told.body.callId, { isError: told.body.isError, text: told.body.text });
      }
    }
    if (page.length < PAGE) return { turns, usage, lastSeq, lastProgress };
  }
}

/** The conversation so far: what the model is sent. */
export function conversation(input: readonly Message[], turns: readonly Turn[]): Message[] {
  const messages = [...input];
  for (const turn of turns) {
    if (turn.content.length > 0) messages.push({ role: "assistant", content: turn.content });
    const calls = callsOf(turn);
    if (calls.length === 0) continue;
    messages.push({
      role: "tool",
      content: calls.map(({ id }) => {
        const outcome = turn.outcomes.get(id);
        if (outcome === undefined) throw new GatewayError("internal", `The tool call ${id} has no result yet.`);
        return {
          type: "tool-result",
          callId: id,
          content: [{ type: "text", text: outcome.text }],
          ...(outcome.isError ? { isError: true } : {}),
        };
      }),
    });
  }
  return messages;
}

export function callsOf(turn: Pick<Turn, "content">): readonly ToolCallPart[] {
  return turn.content.filter((part) => part.type === "tool-call");
}

/** What a reader sees of an answer: its texts, or its refusal. */
export function visibleText(content: readonly AnswerPart[]): string {
  let text = "";
  for (const part of content) if (part.type === "text" || part.type === "refusal") text += part.text;
  return text;
}

function asEntry(entry: RunStepEntry): JournalEntry {
  return { kind: entry.kind, step: entry.step, body: entry.body } as unknown as JournalEntry;
}
function corrupt(id: string, seq: number): GatewayError {
  return new GatewayError("state_corrupt", `Entry ${seq} of the journal of ${id} does not follow from those before it.`, {
    hint: "The journal was changed from outside; start a new run.",
    details: { id, seq },
  });
}
