import type { Message } from "../../calls/index.js";
import { callsOf } from "./whole-turns.js";

/** A message at its place in a session. */
export interface Placed {
  readonly seq: number;
  readonly message: Message;
}
export interface WindowRules {
  readonly messages: number;
  readonly tokens: number;
}

/** What a picture or a document counts as, whatever its size: nobody knows what a vendor makes of it. */
const MEDIA_TOKENS = 1_000;
const CHARS_A_TOKEN = 4;

/** About how many tokens a message is: four characters each. */
export function tokensOf(message: Message): number {
  let chars = 0;
  let media = 0;
  const count = (part: Readonly<Record<string, unknown>>): void => {
    switch (part["type"]) {
      case "media":
        media++;
        return;
      case "tool-call":
        chars += (part["name"] as string).length + (part["arguments"] as string).length;
        return;
      case "tool-result":
        for (const inner of part["content"] as Readonly<Record<string, unknown>>[]) count(inner);
        return;
      case "native":
        chars += JSON.stringify(part["item"]).length;
        return;
      default:
        chars += ((part["text"] as string | undefined) ?? "").length + ((part["opaque"] as string | undefined) ?? "").length;
    }
  };
  for (const part of message.content) count(part as unknown as Readonly<Record<string, unknown>>);
  return Math.ceil(chars / CHARS_A_TOKEN) + media * MEDIA_TOKENS;
}

/**
 * The newest messages that fit, oldest first: whole turns, each from its user's message on; of a turn that alone is too large the newest pieces, after what its user said. A tool call is never parted from its
 * results. The newest piece is always there, however large it is. `entries` are consecutive and end with the newest; what is before them is not looked at.
 */
export function windowOf(entries: readonly Placed[], rules: WindowRules): Placed[] {
  const pieces = piecesOf(entries);
  let first = pieces.length;
  let messages = 0;
  let tokens = 0;
  while (first > 0) {
    const piece = pieces[first - 1] as Placed[];
    messages += piece.length;
    for (const { message } of piece) tokens += tokensOf(message);
    if (first < pieces.length && (messages > rules.messages || tokens > rules.tokens)) break;
    first--;
  }
  const fitting = pieces.slice(first);
  const turn = fitting.findIndex((piece, i) => beginsTurn(piece, i === 0 ? pieces[first - 1] : fitting[i - 1]));
  if (turn >= 0) return fitting.slice(turn).flat();
  let user = first;
  while (user > 0 && !isUser(pieces[user - 1])) user--;
  return user === 0 ? fitting.flat() : [...(pieces[user - 1] as Placed[]), ...fitting.flat()];
}

/** Messages that stay together: a call and its results; every other message by itself. */
function piecesOf(entries: readonly Placed[]): Placed[][] {
  const pieces: Placed[][] = [];
  for (const entry of entries) {
    const last = pieces.at(-1);
    const belongs = entry.message.role === "tool" && last !== undefined && callsOf((last[0] as Placed).message).length > 0;
    if (belongs) last.push(entry);
    else pieces.push([entry]);
  }
  return pieces;
}

function beginsTurn(piece: readonly Placed[], before: readonly Placed[] | undefined): boolean {
  return isUser(piece) && !isUser(before);
}
function isUser(piece: readonly Placed[] | undefined): boolean {
  return piece?.[0]?.message.role === "user";
}
