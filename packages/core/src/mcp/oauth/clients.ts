import { oauthClient, type OAuthClientRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, update, type Write } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { Secret } from "../../util/secret.js";
import { clientMetadata, documentUrl } from "./client-document.js";
import type { Authority, Discovery } from "./discovery.js";
import { isIssuerOf, type OAuthServer } from "./oauth-server.js";
import type { ClientIdentity } from "./tokens/token-endpoint.js";
import { clientRowId } from "./tokens/token-rows.js";

const scope = { system: "the gateway as a client of authorization servers" };
const WITHIN_MS = 10_000;

export interface ClientsDeps {
  readonly services: Services;
  readonly discovery: Discovery;
  /** How browsers reach the gateway; undefined: nobody said. */
  readonly publicUrl: string | undefined;
}

/** Who the gateway is in one sign-in. */
export interface SignInClient {
  readonly client: ClientIdentity;
  /** The authorization server that the MCP server is held to as yet, where it names another by now; null: no other. */
  readonly formerIssuer: string | null;
  /** Of a registration that is not kept yet, Unix ms; null: it has no end, or there is none. */
  readonly endsAtMs: number | null;
}
type ClientFields = Pick<OAuthClientRow, "server" | "issuer" | "clientId" | "clientSecret" | "redirectUri" | "expiresAtMs">;
type Registered = Pick<SignInClient, "client" | "endsAtMs">;

/**
 * Who the gateway is at each authorization server: as configured, else by the URL of its metadata document where that is understood, else as it registers itself. What is made for one authorization server is
 * never used at another, and a server that named one is held to it (T15).
 */
export class Clients {
  readonly #deps: ClientsDeps;

  constructor(deps: ClientsDeps) {
    this.#deps = deps;
  }

  /**
   * For a new sign-in. An MCP server that names another authorization server than before is followed there only by a sign-in for all callers, whose operator is told and has to agree: the gateway registers anew there, and nothing of before is sent.
   * Errors: `misconfigured` with `details.reason` "issuer_changed", or when there is no way to be known there; `upstream_credential` when the registration is refused.
   */
  async forSignIn(server: OAuthServer, authority: Authority, redirectUri: string): Promise<SignInClient> {
    const configured = configuredClient(server);
    const own = documentUrl(this.#deps.publicUrl);
    const { metadata, issuer } = authority;
    const takesDocuments = metadata.client_id_metadata_document_supported === true;
    // What was registered by hand at one is nobody at another; a document of metadata is the same everywhere.
    const isPortable = configured === null || (takesDocuments && isDocument(configured));
    const isMoving = isPortable && server.auth.credentials === "shared";
    const known = isMoving ? await this.#row(server.name) : await this.pinned(server, authority);
    const formerIssuer = known !== null && !isHeld(server, authority, known) ? known.issuer : null;
    const same = { formerIssuer, endsAtMs: null };
    if (configured !== null) return { client: configured, ...same };
    if (takesDocuments && own !== null) return { client: { clientId: own }, ...same };
    const stillGood = known !== null && known.clientId !== null && known.issuer === issuer && known.redirectUri === redirectUri;
    if (stillGood && (known.expiresAtMs === null || known.expiresAtMs > this.#deps.services.clock.now()))
      return { client: this.#registered(known), ...same };
    if (metadata.registration_endpoint === undefined)
      throw new GatewayError("misconfigured", `The gateway is not known at the authorization server of "${server.name}".`, {
        hint: "Register it there and give clientId, or set access.publicUrl to an https address where its metadata document can be read.",
      });
    const made = await this.#register(server, authority, redirectUri);
    if (formerIssuer !== null) return { ...made, formerIssuer };
    return { client: await this.#keep(server, { ...made, issuer, redirectUri, known }), ...same };
  }

  /** The MCP server is held to the authorization server of a sign-in that was finished, where it was held to another before. */
  async moved(server: OAuthServer, to: Registered & { readonly issuer: string; readonly redirectUri: string }): Promise<Write> {
    const isOurs = configuredClient(server) !== null || to.client.clientId === documentUrl(this.#deps.publicUrl);
    const nobody = { issuer: to.issuer, clientId: null, clientSecret: null, redirectUri: null, expiresAtMs: null };
    return this.#write(server, isOurs ? nobody : this.#fields(server, to), await this.#row(server.name));
  }

  /**
   * Who issued a token that was got elsewhere. What says whoever brings their own counts for nothing: it would bind the server for everybody, and its refresh token goes to nobody but the server's authorization server (T15).
   * Errors: `validation_failed` for another issuer, and as of `pinned` and of discovery.
   */
  async issuerOf(server: OAuthServer, said: string | undefined): Promise<Authority> {
    const { discovery } = this.#deps;
    if (said !== undefined && server.auth.credentials === "shared" && isIssuerOf(server, said)) return discovery.byIssuer(server, said);
    const authority = await discovery.of(server);
    if (said !== undefined && said !== authority.issuer && `${said}/` !== authority.issuer)
      throw new GatewayError("validation_failed", `issuer: is not the authorization server of "${server.name}".`, {
        hint: "Leave it out, or have the operator name it as issuer in the server's auth.",
        details: { field: "issuer" },
      });
    await this.pinned(server, authority);
    return authority;
  }

  /** For a token that was issued before. Errors: `misconfigured` when that client is not known any more. */
  async named(server: OAuthServer, issued: { readonly issuer: string; readonly clientId: string }): Promise<ClientIdentity> {
    const configured = configuredClient(server);
    // Its secret is for the authorization server that the operator named, whatever a token says of who issued it (T15).
    if (configured !== null && configured.clientId === issued.clientId && isIssuerOf(server, issued.issuer)) return configured;
    const known = await this.#row(server.name);
    if (known !== null && known.clientId === issued.clientId && known.issuer === issued.issuer) return this.#registered(known);
    return { clientId: issued.clientId };
  }

  /** The row of the authorization server that this MCP server is held to; null: none yet. Errors: `misconfigured`, `details.reason` "issuer_changed". */
  async pinned(server: OAuthServer, authority: Authority): Promise<OAuthClientRow | null> {
    const known = await this.#row(server.name);
    if (known === null || isHeld(server, authority, known)) return known;
    throw new GatewayError(
      "misconfigured",
      `The MCP server "${server.name}" names another authorization server than before: nothing is sent there.`,
      {
        details: { reason: "issuer_changed", server: server.name },
        hint: `If that is right, name it as issuer in the server's auth, or remove the sign-in: DELETE /api/v1/admin/gateway/connections/${server.name}/oauth-token.`,
      },
    );
  }

  #registered(row: OAuthClientRow): ClientIdentity {
    const { clientId, clientSecret } = row;
    const place = { table: oauthClient.table, column: "clientSecret", rowId: row.id };
    return {
      clientId: clientId ?? "",
      clientSecret: clientSecret === null ? undefined : this.#deps.services.seams.vault.get().open(clientSecret, place),
    };
  }

  async #register(server: OAuthServer, authority: Authority, redirectUri: string): Promise<Registered> {
    const { discovery, publicUrl } = this.#deps;
    const { registerClient } = await import("@modelcontextprotocol/client");
    const guarded = discovery.fetchFor(server);
    let made: Awaited<ReturnType<typeof registerClient>>;
    try {
      made = await registerClient(authority.issuer, {
        metadata: authority.metadata,
        clientMetadata: clientMetadata(redirectUri, publicUrl),
        fetchFn: guarded.fetch,
      });
    } catch (error) {
      if (GatewayError.is(error)) throw error;
      throw new GatewayError(
        "upstream_credential",
        `The authorization server of "${server.name}" does not let the gateway register itself.`,
        {
          hint: "Register it there by hand and give clientId.",
          details: { reason: "registration_refused", registration_status: guarded.seen()?.status ?? 0 },
        },
      );
    }
    const { client_id: clientId, client_secret: secret, client_secret_expires_at: endS } = made;
    return {
      client: { clientId, clientSecret: secret === undefined ? undefined : new Secret(secret) },
      endsAtMs: typeof endS === "number" && endS > 0 ? endS * 1_000 : null,
    };
  }

  /** Of several who register at once, the first one's is used by all. */
  async #keep(
    server: OAuthServer,
    made: Registered & { readonly issuer: string; readonly redirectUri: string; readonly known: OAuthClientRow | null },
  ): Promise<ClientIdentity> {
    const write = this.#write(server, this.#fields(server, made), made.known);
    const [result] = await this.#deps.services.store.commit([{ scope, writes: [write] }], this.#within());
    const row = await this.#row(server.name);
    if (result?.ok !== true && (row === null || row.issuer !== made.issuer || row.clientId === null))
      throw new GatewayError("conflict", `The sign-in at "${server.name}" was changed meanwhile.`, { hint: "Begin again." });
    return this.#registered(row!);
  }

  #fields(
    server: OAuthServer,
    { client, endsAtMs, issuer, redirectUri }: Registered & { readonly issuer: string; readonly redirectUri: string },
  ) {
    const { services } = this.#deps;
    const { clientId, clientSecret } = client;
    const place = { table: oauthClient.table, column: "clientSecret", rowId: clientRowId(server.name, services) };
    const sealed = clientSecret === undefined ? null : services.seams.vault.get().seal(clientSecret, place);
    return { issuer, clientId, clientSecret: sealed, redirectUri, expiresAtMs: endsAtMs };
  }

  /** In the place of the row that is known. */
  #write(server: OAuthServer, fields: Omit<ClientFields, "server">, known: OAuthClientRow | null): Write {
    const id = clientRowId(server.name, this.#deps.services);
    if (known === null) return insert(oauthClient, { id, server: server.name, ...fields });
    return update(oauthClient, id, { change: { set: fields }, ifVersion: known.version });
  }

  #row(server: string): Promise<OAuthClientRow | null> {
    const { services } = this.#deps;
    return services.store.get(oauthClient, clientRowId(server, services), scope, this.#within());
  }

  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#deps.services.clock.now() + WITHIN_MS };
  }
}

/** null: the configuration names none. */
export function configuredClient({ auth }: OAuthServer): ClientIdentity | null {
  const { clientId, clientSecret, endpointAuthStyle } = auth;
  return clientId === undefined ? null : { clientId, clientSecret, style: endpointAuthStyle };
}

/** Whether it is the address of a document that the client's metadata stand in, and which nothing secret goes with. Source: Client ID Metadata Document, §3. */
function isDocument({ clientId, clientSecret }: ClientIdentity): boolean {
  return clientSecret === undefined && /^https:\/\/[^/?#]+\/[^?#]+$/.test(clientId);
}

/** Whether the server is held to this authorization server, or the operator named it. */
function isHeld(server: OAuthServer, authority: Authority, known: OAuthClientRow): boolean {
  return server.auth.issuer !== undefined || authority.byHand || known.issuer === authority.issuer;
}
