import type { Services } from "../../../seams/index.js";
import type { Secret } from "../../../util/secret.js";

const MOST = 3;

/**
 * The tokens of one sign-in that were shown to its server of late. What that server says is cleared of them; with a redactor, so is every text that leaves: only for sign-ins of which there are few, since each token that comes or
 * goes has the redactor build its search anew.
 */
export class ShownTokens {
  readonly #redactor: Services["redactor"] | null;
  #texts: readonly string[] = [];

  constructor(redactor: Services["redactor"] | null) {
    this.#redactor = redactor;
  }

  get texts(): readonly string[] {
    return this.#texts;
  }

  noted(token: Secret): Secret {
    const text = token.reveal();
    if (this.#texts.includes(text)) return token;
    const all = [...this.#texts, text];
    for (const gone of all.slice(0, -MOST)) this.#redactor?.forget(gone);
    this.#redactor?.add(text);
    this.#texts = all.slice(-MOST);
    return token;
  }
}
