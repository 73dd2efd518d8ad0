import type { Inbound } from "../../calls/index.js";
import { signInState } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import {
  insert,
  remove,
  type Clock,
  type Counters,
  type Crypto,
  type HttpClient,
  type RecordStore,
  type Write,
} from "../../ports/index.js";
import { toBase64Url } from "../../util/encoding/base64url.js";
import { newId } from "../../util/ids.js";
import { remoteAddressOf } from "../auth-hook.js";
import { keyDigest } from "../key-digest.js";
import type { LateKey } from "../purpose-keys.js";
import { browserUrl, setSignInCookie, signInToken, type SetCookie } from "./cookies.js";
import type { Login, SignedIn } from "./login.js";
import { OidcClient, type OidcBinding, type OidcSettings } from "./oidc-client.js";
import { OidcUsers, type OidcUserRules } from "./oidc-users.js";
import type { Sessions, SessionsSnapshot } from "./sessions.js";
import { isOwnPath } from "./own-path.js";
import { SignInTries } from "./tries.js";

export type OidcProvider = OidcSettings & OidcUserRules;
export interface OidcServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly counters: Counters;
}
export interface OidcOptions {
  readonly key: LateKey;
  readonly sessions: Sessions;
  readonly login: Login;
  readonly http: HttpClient;
  readonly snapshot: () => SessionsSnapshot;
  readonly providers: Readonly<Record<string, OidcProvider>>;
  readonly publicUrl: string | undefined;
  readonly changed: (id: string) => Promise<void>;
}
export interface Redirect {
  readonly location: string;
  readonly cookies: readonly SetCookie[];
}

const STATE_MS = 600_000;
const WITHIN_MS = 15_000;
const SWEEP = 500;
const scope = { system: "OpenID sign-in" };

/**
 * Sign-in with an OpenID provider. What binds a sign-in (state, nonce, PKCE verifier) is made from the cookie that the browser got with it and never stored; its row is taken once, within ten minutes.
 */
export class Oidc {
  readonly #services: OidcServices;
  readonly #o: OidcOptions;
  readonly #digest: (text: string) => string;
  readonly #users: OidcUsers;
  readonly #tries: SignInTries;
  readonly #clients = new Map<string, OidcClient>();

  constructor(services: OidcServices, options: OidcOptions) {
    this.#services = services;
    this.#o = options;
    this.#digest = keyDigest(services.crypto, options.key);
    this.#tries = new SignInTries(services);
    this.#users = new OidcUsers(services, { changed: options.changed });
  }

  get names(): readonly string[] {
    return Object.keys(this.#o.providers);
  }

  /** Sends the browser to the provider. Anybody may ask, and each time a row is kept: limited by address. Errors: `not_found`, `rate_limited`, `validation_failed` for a `returnTo` that is no path here, `missing_dependency`, `misconfigured` when it is asked by a name that nobody vouches for and there is no `access.publicUrl`, `upstream_unavailable`. */
  async begin(name: string, inbound: Inbound, returnTo: string | undefined): Promise<Redirect> {
    const client = this.#client(name);
    if (returnTo !== undefined && !isOwnPath(returnTo))
      throw new GatewayError("validation_failed", "return_to: is a path of this gateway, such as /docs.", {
        details: { field: "return_to" },
      });
    await this.#tries.begun(remoteAddressOf(inbound, this.#o.snapshot().config.server));
    const token = toBase64Url(this.#services.crypto.random(32));
    const binding = this.#binding(token);
    const row = {
      ...{
        id: newId("signin"),
        digest: this.#digest(`state ${binding.state}`),
        cookieDigest: this.#digest(`cookie ${token}`),
        provider: name,
      },
      ...{ returnTo: returnTo ?? null, expiresAtMs: this.#services.clock.now() + STATE_MS },
    };
    const location = await client.authorizationUrl(binding, this.#redirectUri(name, inbound));
    await this.#services.store.commit([{ scope, writes: [insert(signInState, row)] }], this.#within());
    return { location, cookies: [setSignInCookie(inbound, token, STATE_MS)] };
  }

  /** The browser came back: its session begins. Errors: `unauthenticated` for whatever is not right (T38), `forbidden` for an address of another domain. */
  async finish(
    name: string,
    inbound: Inbound,
    requestId: string,
  ): Promise<SignedIn & { readonly returnTo: string | null; readonly cookies: readonly SetCookie[] }> {
    const client = this.#client(name);
    const token = signInToken(inbound);
    const state = new URLSearchParams(inbound.query).getAll("state");
    const returnTo = token === null || state.length !== 1 ? undefined : await this.#take(name, token, state[0]!);
    if (token === null || returnTo === undefined)
      throw new GatewayError("unauthenticated", "The sign-in was not begun by this browser, is over, or was used.", {
        hint: "Sign in again.",
      });
    const claims = await client.claims(`${this.#redirectUri(name, inbound)}?${inbound.query}`, this.#binding(token));
    const row = await this.#users.of(name, claims, this.#o.providers[name]!);
    if (!row.enabled) throw new GatewayError("unauthenticated", "The user is disabled.");
    const address = remoteAddressOf(inbound, this.#o.snapshot().config.server);
    const event = {
      kind: "login" as const,
      outcome: "ok" as const,
      projectId: row.projectId,
      userId: row.id,
      address,
      requestId,
      detail: { by: name },
    };
    const writes: Write[] = this.#o.login.loginWrites(row, event);
    const session = await this.#o.sessions.begin(row, { by: name, inbound, writes });
    return { user: row, session, returnTo, cookies: [setSignInCookie(inbound, "", 0)] };
  }

  /** Removes all sign-ins that nobody came back from. Errors: those of the store. */
  async sweep(): Promise<void> {
    const { store, clock } = this.#services;
    const query = { where: { expiresAtMs: { lt: clock.now() } }, orderBy: "expiresAtMs" as const, limit: SWEEP };
    for (;;) {
      const { rows } = await store.find(signInState, query, scope, this.#within());
      const units = rows.map((row) => ({ scope, writes: [remove(signInState, row.id)] }));
      if (units.length > 0) await store.commit(units, this.#within());
      if (units.length < SWEEP) return;
    }
  }

  /** Where to go on; undefined: there is no such sign-in of this browser. Of N that come with one state, one takes it. */
  async #take(name: string, token: string, state: string): Promise<string | null | undefined> {
    const { store, crypto } = this.#services;
    const encoder = new TextEncoder();
    if (!crypto.equal(encoder.encode(this.#digest(`state ${state}`)), encoder.encode(this.#digest(`state ${this.#binding(token).state}`))))
      return undefined;
    const where = { digest: this.#digest(`state ${state}`) };
    const { rows } = await store.find(signInState, { where, orderBy: "id", limit: 1 }, scope, this.#within());
    const row = rows[0];
    if (row === undefined || row.provider !== name || row.cookieDigest !== this.#digest(`cookie ${token}`)) return undefined;
    const [result] = await store.commit([{ scope, writes: [remove(signInState, row.id)] }], this.#within());
    return result?.ok === true && row.expiresAtMs > this.#services.clock.now() ? row.returnTo : undefined;
  }

  #binding(token: string): OidcBinding {
    return {
      state: this.#digest(`oidc state ${token}`).slice(0, 43),
      nonce: this.#digest(`oidc nonce ${token}`).slice(0, 43),
      verifier: this.#digest(`oidc verifier ${token}`),
    };
  }

  #client(name: string): OidcClient {
    const settings = Object.hasOwn(this.#o.providers, name) ? this.#o.providers[name] : undefined;
    if (settings === undefined)
      throw new GatewayError("not_found", "There is no OpenID provider of this name.", {
        hint: `Known are ${this.names.join(", ") || "none: see access.oidc"}.`,
      });
    let client = this.#clients.get(name);
    if (client === undefined)
      this.#clients.set(name, (client = new OidcClient(settings, { http: this.#o.http, now: () => this.#services.clock.now() })));
    return client;
  }

  #redirectUri(name: string, inbound: Inbound): string {
    return `${browserUrl(inbound, this.#o.publicUrl)}/api/v1/login/oidc/${name}/callback`;
  }

  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}
