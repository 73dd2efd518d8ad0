import type { Extras, Message, ToolResultPart } from "../../../calls/index.js";
import type { Adapting } from "./adapting.js";

type AssistantMessage = Extract<Message, { role: "assistant" }>;

/** A message of the assistant with its calls, those that have no result yet, and the results. */
interface Turn {
  readonly message: AssistantMessage;
  readonly place: number;
  /** By the id that the caller gave, under which ids they go on. */
  readonly open: Map<string, string[]>;
  readonly results: ToolResultPart[];
  extras: Extras | undefined;
  /** It followed another that had no result yet: if that one is answered later, both are one turn. */
  readonly follows: boolean;
}

/**
 * The conversation as all vendors take it: the results of a turn directly behind it, one for every call. Results that came later are moved up, one that belongs to
 * no call is left out with a warning, a call without a result gets one that says so, and an id that was used before gets another, in the call as in its result.
 */
export function pairResults(messages: readonly Message[], warn: Adapting["warn"]): Message[] {
  const pairing = new Pairing(messages, warn);
  messages.forEach((message, i) => pairing.push(message, i));
  return pairing.end();
}

class Pairing {
  readonly #out: (Message | Turn)[] = [];
  readonly #ids: Set<string>;
  readonly #used = new Set<string>();
  readonly #warn: Adapting["warn"];

  constructor(messages: readonly Message[], warn: Adapting["warn"]) {
    this.#ids = new Set(messages.flatMap((message) => message.content.flatMap((part) => (part.type === "tool-call" ? [part.id] : []))));
    this.#warn = warn;
  }

  push(message: Message, place: number): void {
    if (message.role === "tool")
      message.content.forEach((result, i) => this.#result(result, `messages[${place}].content[${i}]`, message.extras));
    else if (message.role === "assistant") this.#assistant(message, place);
    else this.#out.push(message);
  }

  end(): Message[] {
    const joined: (Message | Turn)[] = [];
    for (const item of this.#out) {
      const last = joined.at(-1);
      if (isTurn(item) && item.follows && last !== undefined && isTurn(last) && last.results.length > 0)
        joined[joined.length - 1] = oneTurn(last, item);
      else joined.push(item);
    }
    return joined.flatMap((item) => (isTurn(item) ? this.#close(item) : [item]));
  }

  #assistant(message: AssistantMessage, place: number): void {
    const last = this.#out.at(-1);
    const open: Turn["open"] = new Map();
    const content = message.content.map((part) => {
      if (part.type !== "tool-call") return part;
      const id = this.#unusedId(part.id);
      open.set(part.id, [...(open.get(part.id) ?? []), id]);
      return id === part.id ? part : { ...part, id };
    });
    const follows = last !== undefined && isTurn(last) && last.results.length === 0;
    this.#out.push({ message: { ...message, content }, place, open, results: [], extras: undefined, follows });
  }

  #result(result: ToolResultPart, field: string, extras: Extras | undefined): void {
    const turn = this.#out.findLast((item): item is Turn => isTurn(item) && (item.open.get(result.callId)?.length ?? 0) > 0);
    const callId = turn?.open.get(result.callId)?.shift();
    if (turn === undefined || callId === undefined) {
      this.#warn(field, "answers no tool call of the conversation, and was left out");
      return;
    }
    turn.results.push(callId === result.callId ? result : { ...result, callId });
    if (extras !== undefined) turn.extras = { ...turn.extras, ...extras };
  }

  #close({ message, place, open, results, extras }: Turn): Message[] {
    const missing = [...open.values()].flat();
    if (missing.length > 0)
      this.#warn(`messages[${place}]`, `has tool calls without a result (${missing.length}): results that say so stand for them`);
    const all = [...results, ...missing.map(noResult)];
    if (all.length === 0) return [message];
    return [message, { role: "tool", content: all, ...(extras === undefined ? {} : { extras }) }];
  }

  #unusedId(id: string): string {
    let unused = id;
    for (let i = 2; this.#used.has(unused) || (unused !== id && this.#ids.has(unused)); i++) unused = `${id}_${i}`;
    this.#used.add(unused);
    return unused;
  }
}

function isTurn(item: Message | Turn): item is Turn {
  return "open" in item;
}

/** Ids are unused ones, so that the calls of both can stand side by side. */
function oneTurn(first: Turn, second: Turn): Turn {
  const content = [...first.message.content, ...second.message.content];
  const own = { ...first.message.extras, ...second.message.extras };
  const extras = { ...first.extras, ...second.extras };
  const open = [...first.open.values(), ...second.open.values()].flat();
  return {
    ...first,
    message: { ...second.message, ...first.message, content, ...(Object.keys(own).length === 0 ? {} : { extras: own }) },
    open: new Map(open.map((id) => [id, [id]])),
    results: [...first.results, ...second.results],
    extras: Object.keys(extras).length === 0 ? undefined : extras,
  };
}

function noResult(callId: string): ToolResultPart {
  return { type: "tool-result", callId, content: [{ type: "text", text: "The call was interrupted: there is no result." }], isError: true };
}
