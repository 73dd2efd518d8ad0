import { oauthClient, type OAuthClientRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, update } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
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

/**
 * Who the gateway is at each authorization server: as configured, else by the URL of its metadata document where that is understood, else as it registers itself. What is made for one authorization server is
 * never used at another, and a server that named one is held to it (T15).
 */
export class Clients {
  readonly #deps: ClientsDeps;

  constructor(deps: ClientsDeps) {
    this.#deps = deps;
  }

  /** For a new sign-in. Errors: `misconfigured` with `details.reason` "issuer_changed", or when there is no way to be known there; `upstream_credential` when the registration is refused. */
  async forSignIn(server: OAuthServer, authority: Authority, redirectUri: string): Promise<ClientIdentity> {
    const known = await this.pinned(server, authority);
    const configured = configuredClient(server);
    if (configured !== null) return configured;
    const { metadata, issuer } = authority;
    const own = documentUrl(this.#deps.publicUrl);
    if (metadata.client_id_metadata_document_supported === true && own !== null) return { clientId: own };
    const stillGood = known !== null && known.clientId !== null && known.issuer === issuer && known.redirectUri === redirectUri;
    if (stillGood && (known.expiresAtMs === null || known.expiresAtMs > this.#deps.services.clock.now())) return this.#registered(known);
    if (metadata.registration_endpoint === undefined)
      throw new GatewayError("misconfigured", `The gateway is not known at the authorization server of "${server.name}".`, {
        hint: "Register it there and give clientId, or set access.publicUrl to an https address where its metadata document can be read.",
      });
    return this.#register(server, authority, { redirectUri, known });
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
    const isNamed = server.auth.issuer !== undefined || authority.byHand;
    if (known === null || isNamed || known.issuer === authority.issuer) return known;
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

  async #register(
    server: OAuthServer,
    authority: Authority,
    o: { readonly redirectUri: string; readonly known: OAuthClientRow | null },
  ): Promise<ClientIdentity> {
    const { services, discovery, publicUrl } = this.#deps;
    const { registerClient } = await import("@modelcontextprotocol/client");
    const guarded = discovery.fetchFor(server);
    let made: Awaited<ReturnType<typeof registerClient>>;
    try {
      made = await registerClient(authority.issuer, {
        metadata: authority.metadata,
        clientMetadata: clientMetadata(o.redirectUri, publicUrl),
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
    const id = clientRowId(server.name, services);
    const { client_secret_expires_at: endS } = made;
    const place = { table: oauthClient.table, column: "clientSecret", rowId: id };
    const fields = {
      ...{ issuer: authority.issuer, clientId: made.client_id, redirectUri: o.redirectUri },
      clientSecret: made.client_secret === undefined ? null : services.seams.vault.get().seal(made.client_secret, place),
      expiresAtMs: typeof endS === "number" && endS > 0 ? endS * 1_000 : null,
    };
    const write =
      o.known === null
        ? insert(oauthClient, { id, server: server.name, ...fields })
        : update(oauthClient, id, { change: { set: fields }, ifVersion: o.known.version });
    const [result] = await services.store.commit([{ scope, writes: [write] }], this.#within());
    const row = await this.#row(server.name);
    // Of several who register at once, the first one's is used by all.
    if (result?.ok !== true && (row === null || row.issuer !== authority.issuer || row.clientId === null))
      throw new GatewayError("conflict", `The sign-in at "${server.name}" was changed meanwhile.`, { hint: "Begin again." });
    return this.#registered(row!);
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
