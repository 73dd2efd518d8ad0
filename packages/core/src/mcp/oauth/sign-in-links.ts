import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import { signInNeeded, type SignInLink } from "./sign-in-needed.js";
import type { BegunSignIn } from "./sign-in/sign-ins.js";

export interface SignInLinksOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How browsers reach the gateway; undefined: nobody said. */
  readonly publicUrl: string | undefined;
  /** Whether somebody can agree still to what this ticket is for. */
  readonly isOpen: (ticket: string) => Promise<boolean>;
  readonly start: (server: string, o: { readonly principal: string; readonly by: string; readonly base: string }) => Promise<BegunSignIn>;
}
/** Whose sign-in, where. */
export interface LinkFor {
  readonly server: string;
  readonly principal: string;
  /** The name of who signs in. */
  readonly by: string;
  /** How this browser reaches the gateway, without a slash at the end; left out: as everybody does. */
  readonly base?: string | undefined;
}

/** A link that is of use still is handed out again until shortly before its end. */
const SPARE_MS = 60_000;
const MAX_LINKS = 1_000;

/** Where callers are sent that have to sign in: one sign-in each, however often they are told. */
export class SignInLinks {
  readonly #o: SignInLinksOptions;
  readonly #kept = new Map<string, SignInLink>();
  /** Those that are being made: who comes meanwhile is told the same. */
  readonly #making = new Map<string, Promise<SignInLink>>();

  constructor(options: SignInLinksOptions) {
    this.#o = options;
  }

  /** null: nobody knows how browsers reach the gateway. Errors: those of beginning a sign-in. */
  async of({ server, principal, by, base = this.#o.publicUrl?.replace(/\/+$/, "") }: LinkFor): Promise<SignInLink | null> {
    if (base === undefined) return null;
    const key = `${server}\n${principal}\n${base}`;
    const known = this.#making.get(key);
    if (known !== undefined) return known;
    const making: Promise<SignInLink> = this.#made(key, { server, principal, by, base }).then((link) => {
      // Nobody forgot it meanwhile.
      if (this.#making.get(key) === making) this.#keep(key, link);
      return link;
    });
    this.#making.set(key, making);
    try {
      return await making;
    } finally {
      if (this.#making.get(key) === making) this.#making.delete(key);
    }
  }

  async #made(key: string, { server, principal, by, base }: LinkFor & { readonly base: string }): Promise<SignInLink> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && (await this.#isOfUse(kept))) return kept;
    const { authorizationUrl: url, confirmationCode, expiresAtMs } = await this.#o.start(server, { principal, by, base });
    return { url, confirmationCode, expiresAtMs };
  }

  #keep(key: string, link: SignInLink): void {
    if (this.#kept.size >= MAX_LINKS) this.#kept.clear();
    this.#kept.set(key, link);
  }

  /** Nobody used it up: neither by agreeing, at whatever process, nor by wrong codes. */
  async #isOfUse({ url, expiresAtMs }: SignInLink): Promise<boolean> {
    if (expiresAtMs - SPARE_MS <= this.#o.clock.now()) return false;
    return this.#o.isOpen(url.slice(url.lastIndexOf("/") + 1));
  }

  /** What the caller hears; never rejects. */
  async needed(at: LinkFor, why: string): Promise<GatewayError> {
    try {
      return signInNeeded(at.server, why, await this.of(at));
    } catch (error) {
      const known = GatewayError.from(error);
      this.#o.log.warn("a sign-in at an MCP server could not be begun", { server: at.server, code: known.code, error: known.message });
      return known;
    }
  }

  /** It is done, or was made for a server that is another now. `principal` left out: everybody's. */
  forget(server: string, principal?: string): void {
    const prefix = principal === undefined ? `${server}\n` : `${server}\n${principal}\n`;
    for (const links of [this.#kept, this.#making]) for (const key of [...links.keys()]) if (key.startsWith(prefix)) links.delete(key);
  }
}
