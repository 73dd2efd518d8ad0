import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Grants, type Issued } from "./grants.js";

/** What the token endpoint does in the place of answering. */
export type TokenLie =
  /** 307 to `/elsewhere`, which keeps what it gets. */
  | "redirect"
  /** A body that does not end. */
  | "endless"
  /** No answer at all. */
  | "silent"
  | "invalid_grant"
  | "invalid_client_401"
  | "server_error"
  | "not_json"
  /** An error whose text quotes everything that was sent. */
  | "quotes_request"
  /** 200 without a token. */
  | "no_token"
  | "other_type"
  /** Does what it was asked, and breaks the connection in the place of telling. */
  | "loses_answer"
  /** Sends no refresh token beside the access token, though it gave one before. */
  | "omits_refresh_token";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
  /** The body as form fields, or the query of a GET. */
  readonly form: URLSearchParams;
}
export interface LyingAuthorizationServer {
  /** `http://127.0.0.1:<port>`, also the issuer that it honestly says. */
  readonly issuer: string;
  /** What it got, in order. */
  readonly seen: readonly SeenRequest[];
  /** Members that its metadata has in the place of the honest ones; undefined takes one away. */
  metadata: Record<string, unknown>;
  /** What the token endpoint does with its next requests, one each; then it is honest again. */
  readonly lies: TokenLie[];
  /** How long access tokens hold, seconds. */
  accessTokenS: number;
  refreshTokenS: number | null;
  /** Refresh tokens are spent by their use; one that is used twice ends all of its family. */
  rotates: boolean;
  /** In the answers to authorization requests, in the place of the honest one; null: none is sent. */
  iss: string | null | undefined;
  /** Client ids and secrets that it knows; without any, every client is welcome. */
  readonly clients: Map<string, string | null>;
  /** Who registers gets a secret, and has to show it. */
  registersSecret: boolean;
  /** Those that it gave. */
  readonly secrets: readonly string[];
  /** Requests to the token endpoint that were honestly answered with a token, by grant. */
  readonly issued: Readonly<Record<string, number>>;
  /** What an access token stands for; null: it is not valid. */
  look(token: string): Issued | null;
  /** Every access token ends now. */
  expireAll(): void;
  /** Every sign-in ends now, as when a user withdraws it. */
  revokeAll(): void;
  /** Waits for so many requests to the token endpoint. */
  tokenRequests(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * An authorization server on a free port of 127.0.0.1, over real HTTP: metadata (RFC 8414), authorization code with PKCE whose user always agrees, client credentials, refresh, token exchange, registration. It is honest
 * until it is told to lie. Close it when the test is over.
 */
export async function lyingAuthorizationServer(): Promise<LyingAuthorizationServer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new Lying(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

class Lying implements LyingAuthorizationServer {
  readonly seen: SeenRequest[] = [];
  readonly lies: TokenLie[] = [];
  readonly clients = new Map<string, string | null>();
  readonly issued: Record<string, number> = {};
  metadata: Record<string, unknown> = {};
  accessTokenS = 3_600;
  refreshTokenS: number | null = null;
  rotates = true;
  iss: string | null | undefined;
  registersSecret = false;
  readonly secrets: string[] = [];
  readonly #grants = new Grants();
  readonly #waiting: (() => void)[] = [];

  constructor(
    readonly server: Server,
    readonly issuer: string,
  ) {
    server.on("request", (request, response) => void this.#answer(request, response).catch(() => response.destroy()));
  }

  look(token: string): Issued | null {
    return this.#grants.look(token);
  }
  expireAll(): void {
    this.#grants.expireAll();
  }
  revokeAll(): void {
    this.#grants.revokeAll();
  }

  async tokenRequests(count: number): Promise<void> {
    while (this.seen.filter(({ path }) => path === "/token").length < count)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.issuer);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const form = request.method === "GET" ? url.searchParams : new URLSearchParams(body);
    this.seen.push({ method: request.method ?? "", path: url.pathname, authorization: request.headers.authorization, body, form });
    for (const resolve of this.#waiting.splice(0)) resolve();
    switch (url.pathname) {
      case "/.well-known/oauth-authorization-server":
        return json(response, 200, this.#document());
      case "/authorize":
        return this.#authorize(form, response);
      case "/register":
        return this.#register(body, response);
      case "/token":
        return this.#token(form, request.headers.authorization, response);
      case "/elsewhere":
        return json(response, 200, { access_token: "from-elsewhere", token_type: "Bearer" });
      default:
        return json(response, 404, { error: "not_found" });
    }
  }

  #document(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      registration_endpoint: `${this.issuer}/register`,
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
      authorization_response_iss_parameter_supported: true,
      ...this.metadata,
    };
  }

  /** The user agrees at once. */
  #authorize(form: URLSearchParams, response: ServerResponse): void {
    const back = new URL(form.get("redirect_uri") ?? this.issuer);
    const code = this.#grants.code({
      clientId: form.get("client_id") ?? "",
      redirectUri: back.href,
      challenge: form.get("code_challenge"),
      scope: form.get("scope"),
      resource: form.get("resource"),
    });
    back.searchParams.set("code", code);
    back.searchParams.set("state", form.get("state") ?? "");
    const iss = this.iss === undefined ? this.issuer : this.iss;
    if (iss !== null) back.searchParams.set("iss", iss);
    response.writeHead(302, { location: back.href }).end();
  }

  #register(body: string, response: ServerResponse): void {
    const clientId = `registered-${this.clients.size + 1}`;
    const secret = this.registersSecret ? `registered-secret-${randomBytes(9).toString("base64url")}` : null;
    if (secret !== null) this.secrets.push(secret);
    if (secret !== null || this.clients.size > 0) this.clients.set(clientId, secret);
    const asked = JSON.parse(body) as object;
    json(response, 201, {
      ...asked,
      client_id: clientId,
      ...(secret === null ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    });
  }

  #token(form: URLSearchParams, authorization: string | undefined, response: ServerResponse): void {
    const lie = this.lies.shift();
    switch (lie) {
      case "redirect":
        return void response.writeHead(307, { location: "/elsewhere" }).end();
      case "endless":
        return endless(response);
      case "silent":
        return;
      case "invalid_grant":
        return json(response, 400, { error: "invalid_grant", error_description: "the grant is over" });
      case "invalid_client_401":
        return json(response, 401, { error: "invalid_client" });
      case "server_error":
        return json(response, 503, { error: "temporarily_unavailable" });
      case "not_json":
        return void response.writeHead(200, { "content-type": "text/html" }).end("<html>sign in</html>");
      case "quotes_request":
        return json(response, 400, {
          error: "invalid_request",
          error_description: `you sent ${form.toString()} and ${authorization ?? "nothing"}`,
        });
      case "no_token":
        return json(response, 200, { token_type: "Bearer" });
      default:
        return this.#issue(form, authorization, { lie, response });
    }
  }

  #issue(
    form: URLSearchParams,
    authorization: string | undefined,
    o: { readonly lie: TokenLie | undefined; readonly response: ServerResponse },
  ): void {
    const { lie, response } = o;
    const client = clientOf(form, authorization);
    if (this.clients.size > 0 && (!this.clients.has(client.id) || (this.clients.get(client.id) ?? null) !== client.secret))
      return json(response, 401, { error: "invalid_client" });
    const grant = form.get("grant_type") ?? "";
    const made = this.#grants.redeem(grant, { form, clientId: client.id, rotates: this.rotates, lifeMs: this.accessTokenS * 1_000 });
    if (made === null) return json(response, 400, { error: "invalid_grant" });
    this.issued[grant] = (this.issued[grant] ?? 0) + 1;
    if (lie === "loses_answer") return void response.destroy();
    const { accessToken, refreshToken, scope } = made;
    json(response, 200, {
      access_token: accessToken,
      token_type: lie === "other_type" ? "mac" : "Bearer",
      expires_in: this.accessTokenS,
      ...(refreshToken === null || lie === "omits_refresh_token" ? {} : { refresh_token: refreshToken }),
      ...(this.refreshTokenS === null ? {} : { refresh_expires_in: this.refreshTokenS }),
      ...(scope === null ? {} : { scope }),
    });
  }
}

/** HTTP Basic as it stands, not percent-decoded, as large providers read it. */
function clientOf(form: URLSearchParams, authorization: string | undefined): { readonly id: string; readonly secret: string | null } {
  const basic = /^Basic (.+)$/.exec(authorization ?? "")?.[1];
  if (basic === undefined) return { id: form.get("client_id") ?? "", secret: form.get("client_secret") };
  const text = Buffer.from(basic, "base64").toString();
  const at = text.indexOf(":");
  return { id: text.slice(0, at), secret: text.slice(at + 1) };
}

function endless(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const chunk = " ".repeat(65_536);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once("drain", more);
  };
  more();
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(body));
}
