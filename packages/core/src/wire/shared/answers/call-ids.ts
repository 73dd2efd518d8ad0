/**
 * The ids of one candidate's tool calls: the vendor's own, and for those that came blank or twice one that is made of the answer's id and the call's place, so
 * that it is the same whenever the answer is read. At most 40 characters, which is what the protocol's own vendor takes back.
 */
export class CallIds {
  readonly #base: string;
  readonly #taken = new Set<string>();
  #count = 0;

  constructor(answerId: string, index: number) {
    this.#base = `${answerId.replace(/[^A-Za-z0-9]/g, "").slice(-24)}_${index}`;
  }

  take(given: unknown): string {
    const place = this.#count++;
    const id = typeof given === "string" && given.trim() !== "" && !this.#taken.has(given) ? given : `call_${this.#base}_${place}`;
    this.#taken.add(id);
    return id;
  }
}
