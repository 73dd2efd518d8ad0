/** Counts as a vendor would write them; left out: it says nothing. */
export interface Counts {
  readonly input?: unknown;
  readonly output?: unknown;
}

/**
 * A vendor's protocol as far as faults go: one answer in the frames of a stream, whole, and failed. All of it is made up here, in the shape that the vendor's reference gives, and
 * none of it recorded.
 */
export interface Dialect {
  readonly protocol: "openai-chat" | "openai-responses" | "anthropic-messages" | "google-genai";
  /** Frames up to the first word, excluded. */
  begin(): string[];
  text(word: string): string;
  /** One call of a tool, its arguments in these fragments. */
  toolCall(name: string, fragments: readonly string[]): string[];
  /** Frames behind the last word: the reason, usage, the terminator. */
  end(o?: { readonly reason?: "stop" | "tool"; readonly usage?: Counts | null }): string[];
  /** The vendor's error in the middle of a stream. */
  errorFrame(message: string): string;
  errorBody(message: string): string;
  whole(text: string, usage?: Counts | null): string;
}

/** A whole stream that says these words. */
export function transcript(dialect: Dialect, words: readonly string[], o: { readonly usage?: Counts | null } = {}): string[] {
  return [...dialect.begin(), ...words.map((word) => dialect.text(word)), ...dialect.end(o)];
}
