import type { Caller } from "../../calls/index.js";
import type { Clock } from "../../ports/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Authorizer } from "../lanes/authorizer.js";
import type { PrincipalAuthorizer } from "../server-target.js";
import { askByUrl } from "../bridge/ask-by-url.js";
import type { Asker } from "../bridge/question.js";
import type { ExchangeOptions } from "../lanes/lane.js";
import { NO_LISTS, type Lists } from "./server-lists.js";

/** A connection as it is kept here. */
interface OneOf {
  readonly lists: Lists;
  close(): Promise<void>;
}
export interface UserConnectionsOptions<U extends OneOf> {
  readonly server: string;
  readonly clock: Clock;
  readonly authorizerOf: (caller: Caller) => PrincipalAuthorizer;
  /** `onLists`: called when the lists of that connection changed. */
  readonly make: (authorizer: Authorizer, onLists: () => void) => U;
}
/** How long somebody waits, and who can be asked meanwhile. */
interface Waiting {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly asker?: Asker | undefined;
  /** See `ExchangeOptions.aside`. */
  readonly aside?: ExchangeOptions["aside"];
}
interface Used<U> {
  readonly upstream: U;
  readonly authorizer: Authorizer;
  usedAtMs: number;
}

const MAX_USERS = 1_000;
const IDLE_MS = 600_000;
const LOOK_MS = 60_000;

/**
 * The connections to a server that each caller signs in at: one for each, so that neither a session nor what it holds is ever shared. Those that are not used for ten minutes are closed. What the server offers is
 * known from whoever it told last.
 */
export class UserConnections<U extends OneOf> {
  lists: Lists = NO_LISTS;
  readonly #o: UserConnectionsOptions<U>;
  readonly #byPrincipal = new Map<string, Used<U>>();
  #cancelLook: (() => void) | null = null;
  #closed = false;

  constructor(options: UserConnectionsOptions<U>) {
    this.#o = options;
  }

  get size(): number {
    return this.#byPrincipal.size;
  }

  /**
   * The caller's own connection. Who has not signed in is sent to the page for it, where there is somebody to ask, and the call goes on when that is done.
   * Errors: `authorization_required` when the caller has not signed in, `upstream_credential` for who is no caller.
   */
  async of(caller: Caller | undefined, w: Waiting): Promise<U> {
    const { server, clock, authorizerOf } = this.#o;
    if (caller === undefined)
      throw new GatewayError(
        "upstream_credential",
        `Each caller signs in at the MCP server "${server}" by itself: the gateway has no sign-in of its own there.`,
      );
    const { principal, authorizer } = authorizerOf(caller);
    await signedIn(authorizer, w, clock);
    if (this.#closed) throw new GatewayError("shutting_down", `The MCP server "${server}" was disconnected.`);
    const known = this.#byPrincipal.get(principal);
    if (known?.authorizer === authorizer) {
      known.usedAtMs = clock.now();
      return known.upstream;
    }
    if (known !== undefined) void known.upstream.close();
    const upstream: U = this.#o.make(authorizer, () => (this.lists = upstream.lists));
    this.#byPrincipal.delete(principal);
    this.#byPrincipal.set(principal, { upstream, authorizer, usedAtMs: clock.now() });
    this.#makeRoom();
    this.#look();
    return upstream;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelLook?.();
    await Promise.all([...this.#byPrincipal.values()].map(({ upstream }) => upstream.close()));
    this.#byPrincipal.clear();
  }

  #makeRoom(): void {
    if (this.#byPrincipal.size <= MAX_USERS) return;
    const [oldest] = [...this.#byPrincipal].sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
    if (oldest === undefined) return;
    this.#byPrincipal.delete(oldest[0]);
    void oldest[1].upstream.close();
  }

  #look(): void {
    const { clock } = this.#o;
    this.#cancelLook ??= clock.at(clock.now() + LOOK_MS, () => {
      this.#cancelLook = null;
      for (const [principal, used] of this.#byPrincipal) {
        if (used.usedAtMs + IDLE_MS > clock.now()) continue;
        this.#byPrincipal.delete(principal);
        void used.upstream.close();
      }
      if (this.#byPrincipal.size > 0 && !this.#closed) this.#look();
    });
  }
}

const SIGNED_IN_MS = 500;

async function signedIn(authorizer: Authorizer, w: Waiting, clock: Clock): Promise<void> {
  try {
    await authorizer.headers(w);
  } catch (error) {
    const link = linkOf(error);
    if (link === null || w.asker === undefined) throw error;
    const sentThere = (): Promise<void> => sentToSignIn(authorizer, { ...w, asker: w.asker!, link, refused: error }, clock);
    await (w.aside === undefined ? sentThere() : w.aside(sentThere));
  }
}

interface SignIn extends Waiting {
  readonly asker: Asker;
  readonly link: { readonly url: string; readonly code: string; readonly endsAtMs: number };
  readonly refused: unknown;
}

async function sentToSignIn(authorizer: Authorizer, { asker, link, refused, ...w }: SignIn, clock: Clock): Promise<void> {
  const elicitationId = globalThis.crypto.randomUUID();
  const signal = w.signal ?? new AbortController().signal;
  const message = `${GatewayError.from(refused).message} If the page asks for a code, it is ${link.code}.`;
  if ((await askByUrl(asker, { message, url: link.url, elicitationId }, signal)) !== "accept") throw refused;
  await untilSignedIn(authorizer, { ...w, deadlineMs: Math.min(w.deadlineMs, link.endsAtMs) }, clock);
  asker.completed(elicitationId);
}

/** The person is on the page, or was: the store is looked at until it says so. Errors: `authorization_required` when they did not finish in time. */
async function untilSignedIn(authorizer: Authorizer, w: Waiting, clock: Clock): Promise<void> {
  for (;;) {
    try {
      return void (await authorizer.headers(w));
    } catch (error) {
      const isOver = clock.now() >= w.deadlineMs || w.signal?.aborted === true;
      if (isOver || !GatewayError.is(error, "authorization_required")) throw error;
    }
    await new Promise<void>((resolve) => clock.at(clock.now() + SIGNED_IN_MS, resolve));
  }
}

function linkOf(error: unknown): { readonly url: string; readonly code: string; readonly endsAtMs: number } | null {
  if (!GatewayError.is(error, "authorization_required")) return null;
  const { authorization_url: url, confirmation_code: code, expires_at_ms: endsAtMs } = error.details ?? {};
  return typeof url === "string" && typeof code === "string" && typeof endsAtMs === "number" ? { url, code, endsAtMs } : null;
}
