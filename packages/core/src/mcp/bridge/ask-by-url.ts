import { missingFor } from "./capabilities.js";
import type { Asker, Question } from "./question.js";

export interface UrlQuestion {
  /** Said to the person: who wants it, and why. */
  readonly message: string;
  /** `https:`, or `http:` of this machine. Never one that holds a credential. */
  readonly url: string;
  /** Unique, and nobody can guess it. */
  readonly elicitationId: string;
}
/** `accept`: the person agreed to open the page, and is perhaps still there; `unable`: nobody could be asked. */
export type UrlOutcome = "accept" | "decline" | "cancel" | "unable";

/**
 * Sends the person behind a call to a page: by a question on the call's stream, or, since 2026-07-28, by an answer that wants input and the call that goes on with the next request. Waits until the person agreed or refused;
 * what happens on the page is for its owner to see, who then says `asker.completed(elicitationId)`. Never rejects.
 * Source: MCP 2025-11-25 and 2026-07-28, elicitation in URL mode.
 */
export async function askByUrl(asker: Asker | undefined, o: UrlQuestion, signal: AbortSignal): Promise<UrlOutcome> {
  const question: Question = { method: "elicitation/create", params: JSON.stringify({ mode: "url", ...o }), isOurs: true };
  if (asker === undefined || missingFor(question, asker.capabilities) !== null) return "unable";
  const answer = await asker.ask(question, signal);
  if ("error" in answer) return "unable";
  const { action } = JSON.parse(answer.result) as { action?: unknown };
  return action === "accept" || action === "decline" ? action : "cancel";
}
