/** One turn of a conversation. `raw` is the assistant's turn just as the face's own SDK gave it: replayed unchanged, as a client would. */
export type Turn =
  | { readonly role: "user"; readonly text: string; readonly imageBase64?: string }
  | { readonly role: "assistant"; readonly raw: unknown }
  | { readonly role: "tool"; readonly results: readonly { readonly id: string; readonly name: string; readonly text: string }[] };

export interface Ask {
  readonly model: string;
  readonly system?: string;
  readonly turns: readonly Turn[];
  readonly tools?: readonly { readonly name: string; readonly schema: Record<string, unknown> }[];
  /** An answer in JSON of this schema is asked for. */
  readonly schema?: Record<string, unknown>;
  readonly stream: boolean;
}

/** What came back, read with the SDK's own types. */
export interface Said {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[];
  /** `stop`, `length` or `tools`, from the dialect's own word. */
  readonly finish: string;
  readonly usage: { readonly input: number; readonly output: number } | null;
  /** The assistant's turn, to be replayed. */
  readonly raw: unknown;
}

/** A dialect of callers, driven by its vendor's own SDK. */
export interface Face {
  readonly name: string;
  readonly sdk: string;
  ask(o: Ask): Promise<Said>;
  /** The SDK's own error class for a status. */
  errorClass(status: number): abstract new (...args: never[]) => Error;
}
