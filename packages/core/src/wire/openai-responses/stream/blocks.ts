import type { ModelEvent } from "../../../calls/index.js";

/** The blocks of one answer as they are decoded: numbers them, and lets only tool calls interleave. */
export class Blocks {
  /** What was told of the answer, for the reason of its end. */
  readonly told: { readonly type: string }[] = [];
  #events: ModelEvent[] = [];
  #count = 0;
  #close: (() => void) | null = null;

  get lastIsSpoken(): boolean {
    const type = this.told.at(-1)?.type;
    return type === "text" || type === "refusal";
  }

  emit(event: ModelEvent): void {
    this.#events.push(event);
  }
  take(): ModelEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  /** The next block's number. The block that is open ends before it; `close` ends this one. */
  begin(type: string, close: (() => void) | null): number {
    this.end();
    this.#close = close;
    this.told.push({ type });
    return this.#count++;
  }
  /** Ends the block that is open. */
  end(): void {
    const close = this.#close;
    this.#close = null;
    close?.();
  }
}
