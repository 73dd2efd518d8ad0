import type { Caller } from "../../calls/index.js";
import type { Clock } from "../../ports/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Authorizer } from "../lanes/authorizer.js";
import type { ExchangeOptions } from "../lanes/lane.js";
import type { Connection } from "../lanes/own-request.js";
import type { PrincipalAuthorizer } from "../server-target.js";
import { askByUrl } from "../bridge/ask-by-url.js";
import type { Asker } from "../bridge/question.js";
import type { ListKind } from "./list-entries.js";
import { LIST_KINDS, NO_LISTS, sameEntries, type Entries, type Lists } from "./server-lists.js";

/** A connection as it is kept here. */
export interface OneOf {
  readonly lists: Lists;
  readonly connection: Connection | null;
  readonly subscriptions: { readonly isWatched: boolean };
  ready(w: Waiting): Promise<unknown>;
  close(): Promise<void>;
}
/** What one of them is made with. */
export interface Own {
  readonly principal: string;
  readonly context: string;
  readonly authorizer: Authorizer;
  /** As they were read last, over a connection that is closed. */
  readonly lists: Lists;
  /** An equal list of somebody else, to be kept in the place of another copy. */
  readonly known: (kind: ListKind, entries: Entries) => Entries;
  readonly onRead: (kind: ListKind, o: { readonly isPublic: boolean }) => void;
}
export interface UserConnectionsOptions<U extends OneOf> {
  readonly server: string;
  readonly clock: Clock;
  readonly authorizerOf: (caller: Caller) => PrincipalAuthorizer;
  readonly make: (own: Own) => U;
  /** What the server calls public of a list is something else now. */
  readonly onPublic: (kind: ListKind) => void;
  /** How long a listing waits for the caller's own lists to be read for the first time. */
  readonly startMs: number;
}
/** How long somebody waits, and who can be asked meanwhile. */
interface Waiting {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly asker?: Asker | undefined;
  /** See `ExchangeOptions.aside`. */
  readonly aside?: ExchangeOptions["aside"];
}
/** One sign-in at the server, and what it is shown there. */
interface Context<U> {
  readonly key: string;
  readonly principal: string;
  readonly authorizer: Authorizer;
  readonly standing: string;
  /** null: it was not used for a while. */
  upstream: U | null;
  lists: Lists;
  /** Something was read, and then all. */
  isRead: boolean;
  isWhole: boolean;
  usedAtMs: number;
}

const MAX_USERS = 1_000;
const MAX_LIST_BYTES = 128 * 1024 * 1024;
const IDLE_MS = 600_000;
const LOOK_MS = 60_000;

/**
 * The connections to a server that each caller signs in at, and the lists that it shows each: one of both for each sign-in, so that neither a session nor what it holds nor a name is ever shared (T16). Connections that are not used for ten minutes, and
 * over which nothing is watched, are closed; lists stay, of those used last. Lists that are equal are kept once.
 */
export class UserConnections<U extends OneOf> {
  readonly #o: UserConnectionsOptions<U>;
  /** By the context; what was used last stands last. */
  readonly #contexts = new Map<string, Context<U>>();
  #public: Lists = NO_LISTS;
  #cancelLook: (() => void) | null = null;
  #closed = false;

  constructor(options: UserConnectionsOptions<U>) {
    this.#o = options;
  }

  /** What the server itself says is the same for everybody: shown to those who have not signed in as well. */
  get public(): Lists {
    return this.#public;
  }
  connections(): readonly Connection[] {
    return [...this.#contexts.values()].flatMap(({ upstream }) => upstream?.connection ?? []);
  }
  /** How many names of tools it showed, to whomever. */
  toolCount(): number {
    const lists = new Set([...this.#contexts.values()].map(({ lists: { tools } }) => tools));
    return new Set([...lists].flatMap((tools) => [...tools.keys()])).size;
  }

  /** What the caller is shown, as far as is known. */
  listsOf(caller: Caller | undefined): Lists {
    const known = this.#peek(caller);
    return known?.isRead === true ? known.lists : this.#public;
  }
  /** The caller's own as it stands; null: there is none. */
  peek(caller: Caller | undefined): U | null {
    return this.#peek(caller)?.upstream ?? null;
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
    const who = authorizerOf(caller);
    await signedIn(who.authorizer, w, clock);
    const standing = await who.authorizer.standing();
    if (this.#closed) throw new GatewayError("shutting_down", `The MCP server "${server}" was disconnected.`);
    return this.#upstreamOf(this.#contextOf(who, standing ?? ""));
  }

  /** Has the caller's own lists at hand, if it has signed in. Begins no sign-in, and never rejects: what cannot be read now is not there. */
  async look(caller: Caller, w: Waiting): Promise<void> {
    // What cannot be looked up now is as it was.
    const upstream = await this.signedIn(caller).catch(() => null);
    const context = this.#peek(caller);
    if (upstream === null || context === undefined) return;
    if (upstream.connection !== null) return void (context.isWhole = true);
    const { clock, startMs } = this.#o;
    const reading = upstream.ready({ ...w, deadlineMs: Math.min(w.deadlineMs, clock.now() + startMs) }).then(
      () => void (context.isWhole = true),
      () => undefined, // told by its log, and tried again with the next use
    );
    // What was read once is shown at once, and what is new of it is told.
    if (!context.isWhole) await reading;
  }

  /** That of the caller's sign-in, connected or not; null: it has not signed in. Errors: those of the store. */
  async signedIn(caller: Caller): Promise<U | null> {
    const who = this.#who(caller);
    if (who === null) return null;
    const standing = await who.authorizer.standing();
    if (standing !== null && !this.#closed) return this.#upstreamOf(this.#contextOf(who, standing));
    this.#drop(who.context);
    return null;
  }

  /** Those of one principal. */
  ofPrincipal(principal: string): readonly U[] {
    return [...this.#contexts.values()].flatMap(({ upstream, ...own }) =>
      own.principal === principal && upstream !== null ? [upstream] : [],
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelLook?.();
    await Promise.all([...this.#contexts.values()].flatMap(({ upstream }) => (upstream === null ? [] : [upstream.close()])));
    this.#contexts.clear();
  }

  #who(caller: Caller): PrincipalAuthorizer | null {
    try {
      return this.#o.authorizerOf(caller);
    } catch {
      // It came in without what it could sign in with.
      return null;
    }
  }
  #peek(caller: Caller | undefined): Context<U> | undefined {
    const who = caller === undefined ? null : this.#who(caller);
    return who === null ? undefined : this.#contexts.get(who.context);
  }

  /** Another sign-in than before is another context, whoever made it. */
  #contextOf({ context: key, principal, authorizer }: PrincipalAuthorizer, standing: string): Context<U> {
    if (this.#contexts.get(key)?.standing !== standing) this.#drop(key);
    const usedAtMs = this.#o.clock.now();
    const context: Context<U> = this.#contexts.get(key) ?? {
      ...{ key, principal, authorizer, standing },
      ...{ upstream: null, lists: NO_LISTS, isRead: false, isWhole: false, usedAtMs },
    };
    context.usedAtMs = usedAtMs;
    this.#contexts.delete(key);
    this.#contexts.set(key, context);
    if (this.#contexts.size > MAX_USERS) this.#dropOldest();
    this.#sweepLater();
    return context;
  }

  #upstreamOf(context: Context<U>): U {
    if (context.upstream !== null) return context.upstream;
    const { key, principal, authorizer, lists } = context;
    const upstream: U = this.#o.make({
      ...{ principal, context: key, authorizer, lists },
      known: (kind, entries) => this.#equal(kind, entries),
      onRead: (kind, { isPublic }) => {
        // One that was dropped meanwhile has nothing to say.
        if (context.upstream !== upstream) return;
        context.lists = upstream.lists;
        context.isRead = true;
        this.#setPublic(kind, isPublic && this.#agree(kind, upstream.lists[kind]) ? upstream.lists[kind] : NO_LISTS[kind]);
        while (this.#contexts.size > 1 && this.#bytes() > MAX_LIST_BYTES) this.#dropOldest();
      },
    });
    return (context.upstream = upstream);
  }

  /** What is called public and differs between two of those who are connected is not. */
  #agree(kind: ListKind, entries: Entries): boolean {
    for (const { upstream, isRead, lists } of this.#contexts.values())
      if (isRead && upstream !== null && upstream.connection !== null && lists[kind] !== entries) return false;
    return true;
  }

  #setPublic(kind: ListKind, entries: Entries): void {
    if (this.#public[kind] === entries) return;
    this.#public = { ...this.#public, [kind]: entries };
    this.#o.onPublic(kind);
  }

  #equal(kind: ListKind, entries: Entries): Entries {
    for (const { lists } of this.#contexts.values()) if (sameEntries(lists[kind], entries)) return lists[kind];
    return entries;
  }

  #bytes(): number {
    const kept = new Set<Entries>();
    for (const { lists } of this.#contexts.values()) for (const kind of LIST_KINDS) kept.add(lists[kind]);
    let bytes = 0;
    for (const entries of kept) bytes += bytesOf(entries);
    return bytes;
  }

  #drop(key: string): void {
    const context = this.#contexts.get(key);
    this.#contexts.delete(key);
    const upstream = context?.upstream ?? null;
    if (context !== undefined) context.upstream = null;
    void upstream?.close();
  }

  /** Whoever watches something goes last, and whoever was used last is not asked. */
  #dropOldest(): void {
    const keys = [...this.#contexts.keys()].slice(0, -1);
    const quiet = keys.find((key) => this.#contexts.get(key)!.upstream?.subscriptions.isWatched !== true);
    const key = quiet ?? keys[0];
    if (key !== undefined) this.#drop(key);
  }

  #sweepLater(): void {
    const { clock } = this.#o;
    this.#cancelLook ??= clock.at(clock.now() + LOOK_MS, () => {
      this.#cancelLook = null;
      let isUsed = false;
      for (const context of this.#contexts.values()) {
        const { upstream, usedAtMs } = context;
        if (upstream === null) continue;
        if (usedAtMs + IDLE_MS > clock.now() || upstream.subscriptions.isWatched) {
          isUsed = true;
          continue;
        }
        context.upstream = null;
        void upstream.close();
      }
      if (isUsed && !this.#closed) this.#sweepLater();
    });
  }
}

const sizes = new WeakMap<Entries, number>();
function bytesOf(entries: Entries): number {
  let bytes = sizes.get(entries);
  if (bytes === undefined) {
    bytes = 0;
    for (const { raw } of entries.values()) bytes += raw.length;
    sizes.set(entries, bytes);
  }
  return bytes;
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
