import { GatewayError } from "../../errors/index.js";
import { HashGate } from "../keys/hash-gate.js";

/** What of `@node-rs/argon2` is used: the package itself is named in no type that users see. */
interface Argon2 {
  hash(password: string, cost: { readonly memoryCost: number; readonly timeCost: number; readonly parallelism: number }): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
}

/** OWASP's least for argon2id. Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const LEAST_CHARACTERS = 8;
const MOST_BYTES = 1_024;
const MOST_AT_ONCE = 4;
const MOST_WAITING = 64;
const encoder = new TextEncoder();

/**
 * Passwords as argon2id hashes, by `@node-rs/argon2`, off the event loop, a few at a time. Errors: `missing_dependency` without the package, `overloaded` when too many wait.
 */
export class Passwords {
  readonly #gate = new HashGate({ most: MOST_AT_ONCE, mostWaiting: MOST_WAITING });
  readonly #load: () => Promise<Argon2>;
  #argon2: Promise<Argon2> | null = null;
  #nobodys: Promise<string> | null = null;

  constructor(load: () => Promise<Argon2> = () => import("@node-rs/argon2")) {
    this.#load = load;
  }

  /** In PHC form. Errors: `validation_failed` for one that is too short or too long. */
  async hash(password: string): Promise<string> {
    const problem = problemOf(password);
    if (problem !== null) throw new GatewayError("validation_failed", `password: ${problem}.`, { details: { field: "password" } });
    return this.#hash(password);
  }

  /**
   * Whether the password is the one that was hashed. null: nobody's, which takes as long and is never right: who asks does not learn whether there is such a user (T40).
   * The check is the same work for every password, also for one that is too long to be any.
   */
  async verify(password: string, hash: string | null): Promise<boolean> {
    const argon2 = await this.#loaded();
    const stored = hash ?? (await (this.#nobodys ??= this.#hash(globalThis.crypto.randomUUID())));
    const isTooLong = encoder.encode(password).length > MOST_BYTES;
    const fits = await this.#gate.run(() => argon2.verify(stored, isTooLong ? "" : password).catch(() => false));
    return fits && hash !== null && !isTooLong;
  }

  /** Has everything ready, so that the first sign-in takes as long as the next. */
  async warm(): Promise<void> {
    await this.#loaded();
    await (this.#nobodys ??= this.#hash(globalThis.crypto.randomUUID()));
  }

  async #hash(password: string): Promise<string> {
    const argon2 = await this.#loaded();
    return this.#gate.run(() => argon2.hash(password, cost));
  }

  async #loaded(): Promise<Argon2> {
    try {
      return await (this.#argon2 ??= this.#load());
    } catch (cause) {
      this.#argon2 = null;
      throw new GatewayError("missing_dependency", "Passwords need the package @node-rs/argon2.", {
        hint: "npm install @node-rs/argon2",
        cause,
      });
    }
  }
}

function problemOf(password: string): string | null {
  if ([...password].length < LEAST_CHARACTERS) return `has at least ${LEAST_CHARACTERS} characters`;
  if (encoder.encode(password).length > MOST_BYTES) return `has at most ${MOST_BYTES} bytes`;
  return new Set(password).size < 3 ? "is one or two characters over and over" : null;
}
