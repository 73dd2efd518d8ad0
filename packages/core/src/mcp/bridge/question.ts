import type { Json, JsonObject } from "../../calls/index.js";

/** What a server may ask of whoever calls it. */
export const QUESTION_METHODS = ["sampling/createMessage", "elicitation/create", "roots/list"] as const;
export type QuestionMethod = (typeof QUESTION_METHODS)[number];

/** A server's question as it came: nothing of it is read but what decides who may be asked it. */
export interface Question {
  readonly method: QuestionMethod;
  /** The JSON text of an object; null: it has no parameters. */
  readonly params: string | null;
  /** This gateway asks by itself. */
  readonly isOurs?: true;
}

/** An error as JSON-RPC tells it. */
export interface QuestionError {
  readonly code: number;
  readonly message: string;
  readonly data?: Json;
}
/** What a question was answered with: the JSON text of the result, as it came, or an error. */
export type QuestionAnswer = { readonly result: string } | { readonly error: QuestionError };

/** What a client says of itself that it can be asked. */
export type ClientCapabilities = JsonObject;

/**
 * Whoever made a call, seen from the server's side: the one that may be asked something while the call is under way.
 */
export interface Asker {
  /** What it declared. Nothing else may be asked. */
  readonly capabilities: ClientCapabilities;
  /**
   * Asks, and waits for the answer: within the call's own time, or until the signal is aborted, when the server does not want to know any more. Never rejects: what cannot be asked is an error in the answer. Any number at once.
   */
  ask(question: Question, signal: AbortSignal): Promise<QuestionAnswer>;
  /** What a person was sent to a page for is done there: told to clients that have a message for it. */
  completed(elicitationId: string): void;
}
