const SAFE = ["GET", "HEAD", "OPTIONS"];
export const SESSION_TOKEN_HEADER = "x-sallyport-csrf";

/**
 * The token that the changes of a page's session have to carry: as it is given, or asked for once, before the first change, and again when the session turns out to be another one by now.
 * Concurrency: changes that come together ask once.
 */
export class SessionToken {
  readonly #given: string | (() => string | Promise<string>) | undefined;
  readonly #ask: () => Promise<string | null>;
  #known: Promise<string | null> | null = null;

  /** `ask`: what the gateway says that it is; null: the caller is none of a session. */
  constructor(given: string | (() => string | Promise<string>) | undefined, ask: () => Promise<string | null>) {
    this.#given = given;
    this.#ask = ask;
  }

  /** What a request of this method is to carry; null: nothing. An answer that did not come is asked for again next time: what is said to the request then is the gateway's to say. */
  async of(method: string): Promise<string | null> {
    if (SAFE.includes(method.toUpperCase())) return null;
    if (this.#given !== undefined) return typeof this.#given === "function" ? this.#given() : this.#given;
    const asked = (this.#known ??= this.#ask());
    return asked.catch(() => {
      if (this.#known === asked) this.#known = null;
      return null;
    });
  }

  /** A request with this token was refused for it; true: there may be another one now, and nothing was done yet. */
  refused(): boolean {
    if (this.#given !== undefined && typeof this.#given !== "function") return false;
    this.#known = null;
    return true;
  }
}
