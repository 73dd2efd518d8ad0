import { DEFAULT_PROJECT, type Caller, type Inbound } from "../calls/index.js";
import { persona, project, role, roleBinding, team, user, type AnyEntity } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { Bus, Clock, Counters, Crypto, HttpClient, RecordStore } from "../ports/index.js";
import type { ResourceActionsTable } from "../seams/index.js";
import type { Log } from "../util/log.js";
import type { Secret } from "../util/secret.js";
import { Access, type AccessSnapshot } from "./access.js";
import type { AuthHook } from "./auth-hook.js";
import { Directory } from "./directory.js";
import { keyDigest } from "./key-digest.js";
import { GatewayKeys } from "./keys/gateway-keys.js";
import { bcryptVerifier, type KeyVerifier } from "./keys/key-verifier.js";
import { LegacyKeys } from "./keys/legacy-keys.js";
import { LiveCalls } from "./keys/live-calls.js";
import { ensureOwnerKey } from "./owner-key.js";
import { Passwords } from "./people/passwords.js";
import { Users } from "./people/users.js";
import { personaActions } from "./personas/persona-actions.js";
import { Personas, type PersonaSnapshot } from "./personas/personas.js";
import type { PurposeKeys } from "./purpose-keys.js";
import { registerAccess } from "./resource-actions.js";
import { Login } from "./sign-in/login.js";
import type { AccessTokens } from "./tokens/access-tokens.js";
import { Oidc, type OidcProvider } from "./sign-in/oidc.js";
import { Sessions, type SessionsSnapshot } from "./sign-in/sessions.js";

/** What of the services it needs; Services is one. */
export interface IdentityServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly counters: Counters;
  readonly bus: Bus;
  readonly log: Log;
  readonly seams: { readonly resources: ResourceActionsTable };
}
export interface IdentityOptions {
  readonly keys: () => PurposeKeys;
  readonly snapshot: () => AccessSnapshot & SessionsSnapshot & PersonaSnapshot;
  readonly http: HttpClient;
  readonly oidc: Readonly<Record<string, OidcProvider>>;
  readonly publicUrl: string | undefined;
  /** Takes access tokens of authorization servers; left out: none are taken. */
  readonly tokens?: AccessTokens | undefined;
  readonly auth?: AuthHook | undefined;
  readonly verifiers?: readonly KeyVerifier[] | undefined;
  /** Whoever calls in this process. */
  readonly owner: Caller;
  /** Resolves when the gateway has started. */
  readonly ready: () => Promise<void>;
  /** Has this process, and soon the others, see what was changed. */
  readonly changed: (id: string) => Promise<void>;
  /** A row as the resource API shows it. */
  readonly view: (entity: AnyEntity, row: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

/** The records that say who there is and what they may: a snapshot has to follow them. */
export const followedPeople = [user, team, project, role, roleBinding, persona] as const;

const SWEEP_EVERY_MS = 600_000;

/** Everybody that this gateway knows, and how they show who they are: the access domain, put together. */
export class Identity {
  readonly access: Access;
  readonly keys: GatewayKeys;
  readonly users: Users;
  readonly live: LiveCalls;
  readonly #services: IdentityServices;
  readonly #o: IdentityOptions;
  readonly #directory = new Directory();
  readonly #sessions: Sessions;
  readonly #login: Login;
  readonly #oidc: Oidc;
  #cancelSweep: () => void = () => undefined;

  constructor(services: IdentityServices, options: IdentityOptions) {
    this.#services = services;
    this.#o = options;
    const { snapshot, ready, changed } = options;
    const directory = this.#directory;
    const pepper = () => options.keys()("gateway-keys");
    const key = () => options.keys()("web-sessions");
    const digest = keyDigest(services.crypto, pepper);
    const verifiers = [...(options.verifiers ?? []), bcryptVerifier];
    const passwords = new Passwords();
    const common = { directory, snapshot, owner: () => this.owner(), ready, changed };
    this.keys = new GatewayKeys(services, { ...common, digest, schemes: verifiers.map(({ scheme }) => scheme) });
    this.users = new Users(services, { ...common, passwords });
    this.#sessions = new Sessions(services, { key, snapshot, directory });
    this.#login = new Login(services, { sessions: this.#sessions, passwords, snapshot });
    const { http, publicUrl, oidc } = options;
    this.#oidc = new Oidc(services, {
      key,
      sessions: this.#sessions,
      login: this.#login,
      http,
      snapshot,
      providers: oidc,
      publicUrl,
      changed,
    });
    const refresh = () => changed("imported keys");
    const legacy = new LegacyKeys(services, { verifiers, digest, refresh });
    this.access = new Access(services, {
      pepper,
      snapshot,
      auth: options.auth,
      directory,
      sessions: this.#sessions,
      legacy,
      tokens: options.tokens,
    });
    this.live = new LiveCalls({ clock: services.clock, untilMs: (caller) => this.#untilMs(caller) });
    const people = () => directory.of(snapshot()).people;
    registerAccess(services.seams.resources, {
      ...{ store: services.store, clock: services.clock, keys: this.keys, users: this.users },
      ...{ people, changed, view: options.view },
      personas: personaActions({ personas: new Personas(), snapshot }),
    });
  }

  /** Whoever calls in this process: sees every project. */
  owner(): Caller {
    const { projects } = this.#directory.of(this.#o.snapshot()).people;
    return { ...this.#o.owner, projects: [DEFAULT_PROJECT, ...projects.filter((id) => id !== DEFAULT_PROJECT)] };
  }

  /** People sign in here. Errors: `not_found` when the host application says who calls, and signs its people in itself. */
  get signIn(): { readonly sessions: Sessions; readonly login: Login; readonly oidc: Oidc } {
    if (this.#o.auth !== undefined)
      throw new GatewayError("not_found", "Nobody signs in here: the application that hosts this gateway says who calls.", {
        hint: "Sign in there.",
      });
    return { sessions: this.#sessions, login: this.#login, oidc: this.#oidc };
  }

  /** The token that a browser's changes have to carry; null: the request is none of a session. */
  csrfOf(inbound: Inbound): string | null {
    return this.#o.auth === undefined ? this.#sessions.csrfOf(inbound) : null;
  }

  /** Keys or people changed: calls under way of a credential that is valid no longer are ended. */
  swapped(): void {
    this.live.sweep((id) => this.isStanding(id));
  }

  /** Whether a key, or a user who signed in, may call still; of others nobody here knows. */
  isStanding(credentialId: string): boolean {
    const index = this.#directory.of(this.#o.snapshot());
    if (credentialId.startsWith("key_")) return (index.usable(credentialId)?.untilMs ?? 0) > this.#services.clock.now();
    return !credentialId.startsWith("user_") || index.people.user(credentialId)?.enabled === true || this.#o.auth !== undefined;
  }

  /** From when on what the caller came in with is valid no longer by itself, Unix ms; Infinity: no end is known. */
  #untilMs(caller: Caller): number {
    if (this.#o.auth !== undefined) return Infinity;
    if (caller.keyId === undefined) return this.#o.tokens?.untilMs(caller) ?? Infinity;
    return this.#directory.of(this.#o.snapshot()).usable(caller.keyId)?.untilMs ?? Infinity;
  }

  /** The owner has a key. One that was made is shown once: to `shown`, or in the log. Errors: `invalid_config`, those of the store. */
  async ensureOwner(given: string | Secret | undefined, shown: ((key: string) => void) | undefined): Promise<void> {
    const { shownOnce } = await ensureOwnerKey(this.#services, { pepper: () => this.#o.keys()("gateway-keys"), ownerKey: given });
    if (shownOnce === undefined) return;
    if (shown !== undefined) shown(shownOnce);
    else
      this.#services.log.warn("an owner key was made; it is shown only now: set SALLYPORT_OWNER_KEY to choose it", { ownerKey: shownOnce });
  }

  /** Sessions that are over are removed now and then. */
  start(): void {
    this.#cancelSweep();
    this.#cancelSweep = this.#services.clock.at(this.#services.clock.now() + SWEEP_EVERY_MS, () => void this.#sweep());
  }

  close(): void {
    this.#cancelSweep();
  }

  async #sweep(): Promise<void> {
    try {
      await this.#sessions.sweep();
      await this.#oidc.sweep();
    } catch (error) {
      this.#services.log.warn("sessions that are over were not removed", { code: GatewayError.from(error).code });
    }
    this.start();
  }
}
