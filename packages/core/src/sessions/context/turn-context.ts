import type { Message } from "../../calls/index.js";
import type { Config } from "../../config/schema.js";
import type { SessionRow } from "../../entities/index.js";
import type { CallOptions } from "../../seams/index.js";
import { readSingle } from "../read-pages.js";
import type { HotTails } from "./hot-tails.js";
import { readTail } from "./read-tail.js";
import type { SessionRecords } from "../session-records.js";
import { summaryOf, type Summary } from "./summarise.js";
import { wholeTurns } from "./whole-turns.js";
import { windowOf, type Placed } from "./window.js";

/** What a turn is made of, all of it read. */
export interface ContextParts {
  readonly instructions: readonly string[];
  readonly summary: Summary;
  /** Beside the window's own, oldest first. */
  readonly pinned: readonly Placed[];
  readonly window: readonly Placed[];
  /** The turn's own messages. */
  readonly input: readonly Message[];
}

/**
 * What a model is sent of a session: its instructions, the summary of what no longer fits, pinned messages, and the window. The summary is told as what a user says: a model wrote it from what users and tools
 * said, and it instructs nobody.
 */
export function contextOf({ instructions, summary, pinned, window, input }: ContextParts): Message[] {
  const systems = instructions
    .filter((text) => text !== "")
    .map((text): Message => ({ role: "system", content: [{ type: "text", text }] }));
  const told: Message[] =
    summary.text === null
      ? []
      : [{ role: "user", content: [{ type: "text", text: `Summary of the conversation so far:\n${summary.text}` }] }];
  const placed = [...pinned, ...window];
  const rules = placed.filter(({ message }) => isRule(message)).map(({ message }) => message);
  const said = placed.filter(({ message }) => !isRule(message)).map(({ message }) => message);
  return [...systems, ...rules, ...told, ...wholeTurns([...said, ...input])];
}

function isRule({ role }: Message): boolean {
  return role === "system" || role === "developer";
}

/** The same of a session as it stood at `upToSeq`. Reads the window and no more. */
export async function turnContext(
  row: SessionRow,
  o: {
    readonly records: SessionRecords;
    readonly tails: HotTails;
    readonly config: Config["sessions"];
    readonly upToSeq: number;
    readonly input: readonly Message[];
    readonly options: CallOptions;
  },
): Promise<Message[]> {
  const { records, tails, config, upToSeq, input, options } = o;
  const tail = await readTail({ records, tails }, { row, upToSeq, rules: config.window });
  const window = windowOf(tail, config.window);
  const here = new Set(window.map(({ seq }) => seq));
  const pinned = await readSingle(
    records,
    row,
    row.pinned.filter((seq) => seq <= upToSeq && !here.has(seq)),
  );
  const windowSeq = window[0]?.seq ?? upToSeq + 1;
  const summary = await summaryOf(row, { records, rules: config.summarise, windowSeq, options });
  return contextOf({
    instructions: [row.instructions ?? "", ...row.mcp.instructions],
    // One that tells of the window itself, after the window was made longer, tells nothing new.
    summary: summary.seq < windowSeq ? summary : { seq: 0, text: null },
    pinned: pinned.map(({ seq, message }) => ({ seq, message })).sort((a, b) => a.seq - b.seq),
    window,
    input,
  });
}
