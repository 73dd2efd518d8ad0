import { z } from "zod";
import { restRoute } from "../route.js";

const instant = z.string().describe("ISO 8601");
const params = z.strictObject({ name: z.string().min(1).max(64) });
const path = "/api/v1/admin/gateway/connections/{name}";
const principal = z
  .string()
  .min(1)
  .max(100)
  .optional()
  .describe("whose sign-in, for who may write servers; left out: the caller's own, or all callers'");
const page = { kind: "text", contentType: "text/html; charset=utf-8", schema: z.string() } as const;
const ticket = z.strictObject({ ticket: z.string().regex(/^[A-Za-z0-9_-]{43}$/) });

/** A sign-in at an MCP server; never a token. */
export const oauthStatusView = z.object({
  configured: z.boolean(),
  token_acquired: z.boolean(),
  expires_at: instant.nullable(),
  last_refreshed_at: instant.nullable(),
  has_refresh_token: z.boolean(),
  last_error: z.string().nullable(),
  grant: z.string().nullable(),
  needs_reauth: z.boolean().describe("a person has to sign in"),
  authenticated_by: z.string().nullable(),
  authenticated_at: instant.nullable(),
});

const upstream = ["upstream_protocol", "upstream_unavailable", "upstream_timeout", "upstream_credential"] as const;
const acting = ["forbidden", "not_found", "conflict", "rate_limited", "misconfigured", ...upstream] as const;

/** The gateway's sign-ins at MCP servers, for people and their tools. A sign-in for all callers needs servers:write; one's own, of a server that each caller signs in at, any caller. */
export const oauthRoutes = {
  start: restRoute({
    name: "mcp.oauth.start",
    method: "POST",
    path: `${path}/oauth-start`,
    summary: "Begins a sign-in: the address to open in a browser, within ten minutes.",
    permission: null,
    params,
    body: z.strictObject({
      return_url: z.string().max(500).optional().describe("a path of this gateway, where the browser goes in the end"),
    }),
    bodyOptional: true,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        authorization_url: z.string().describe("the gateway's page of consent, to be opened in a browser"),
        confirmation_code: z.string().describe("what that page asks of a browser that is not signed in here; tell nobody"),
        state: z.string().nullable().describe("null: it is issued to the browser whose user agrees"),
        redirect_uri: z.string(),
        expires_at: instant,
      }),
    },
    errors: acting,
  }),
  show: restRoute({
    name: "mcp.oauth.show",
    method: "GET",
    path: `${path}/oauth-token`,
    summary: "What is known of a sign-in. Tokens are never shown.",
    permission: null,
    params,
    query: z.strictObject({ principal }),
    output: { status: 200, kind: "json", schema: oauthStatusView },
    errors: ["forbidden", "not_found"],
  }),
  ingest: restRoute({
    name: "mcp.oauth.ingest",
    method: "PUT",
    path: `${path}/oauth-token`,
    summary: "Takes a token that was got elsewhere, in the place of whatever was there.",
    permission: null,
    params,
    body: z.strictObject({
      access_token: z.string().min(1).max(16_384),
      refresh_token: z.string().min(1).max(16_384).optional(),
      expires_in: z.int().min(1).max(3_153_600_000).optional().describe("seconds"),
      refresh_expires_in: z.int().min(1).max(3_153_600_000).optional().describe("seconds"),
      scope: z.string().max(2_000).optional(),
      issuer: z
        .url({ protocol: /^https?$/ })
        .max(2_000)
        .optional()
        .describe("left out: the authorization server that would be signed in at"),
      client_id: z.string().min(1).max(2_000).optional().describe("what the gateway is called there; left out: as configured"),
      principal,
    }),
    output: { status: 200, kind: "json", schema: oauthStatusView },
    errors: acting,
  }),
  reacquire: restRoute({
    name: "mcp.oauth.reacquire",
    method: "POST",
    path: `${path}/oauth-reacquire`,
    summary: "Gets a new token now, with the refresh token or the client's credentials.",
    permission: null,
    params,
    body: z.strictObject({ principal }),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: oauthStatusView },
    errors: acting,
  }),
  remove: restRoute({
    name: "mcp.oauth.remove",
    method: "DELETE",
    path: `${path}/oauth-token`,
    summary: "Removes a sign-in; with that of all callers, also which authorization server the MCP server is held to.",
    permission: null,
    params,
    query: z.strictObject({ principal }),
    output: { status: 200, kind: "json", schema: z.object({ removed: z.boolean() }) },
    errors: ["forbidden", "not_found"],
  }),
  events: restRoute({
    name: "mcp.oauth.events",
    method: "GET",
    path: `${path}/oauth-events`,
    summary: "What happened to the sign-ins at a server, newest first.",
    permission: { what: "servers", name: "read" },
    params,
    query: z.strictObject({ limit: z.int().min(1).max(200).default(50), cursor: z.string().min(1).max(1_000).optional() }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        data: z.array(
          z.object({
            id: z.string(),
            occurred_at: instant,
            kind: z.string(),
            name: z.string(),
            actor: z.string().nullable(),
            idp_host: z.string().nullable(),
            detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
          }),
        ),
        next_cursor: z.string().nullable(),
      }),
    },
    errors: ["forbidden"],
  }),
} as const;

/** What browsers and authorization servers ask for, who have no key. */
export const oauthPageRoutes = {
  callback: restRoute({
    name: "mcp.oauth.callback",
    method: "GET",
    path: "/api/v1/admin/oauth/callback",
    summary: "Where an authorization server sends the browser back to: the sign-in is finished, once.",
    open: true,
    navigable: true,
    permission: null,
    output: { status: 200, ...page },
    errors: [],
  }),
  consent: restRoute({
    name: "mcp.oauth.consent",
    method: "GET",
    path: "/api/v1/oauth/sign-in/{ticket}",
    summary: "Tells the user of a browser who wants to sign in where, for whom, and asks.",
    open: true,
    navigable: true,
    permission: null,
    params: ticket,
    output: { status: 200, ...page },
    errors: ["not_found", "forbidden"],
  }),
  agree: restRoute({
    name: "mcp.oauth.agree",
    method: "POST",
    path: "/api/v1/oauth/sign-in/{ticket}",
    summary: "The user agrees, on that page's form: on to the authorization server. Only this browser can finish the sign-in.",
    open: true,
    permission: null,
    params: ticket,
    output: { status: 303, ...page },
    errors: ["not_found", "forbidden", "conflict", "origin_refused"],
  }),
  client: restRoute({
    name: "mcp.oauth.client",
    method: "GET",
    path: "/oauth/client-metadata",
    summary: "Who the gateway is as a client of authorization servers. Its address is its client id.",
    open: true,
    permission: null,
    output: { status: 200, kind: "json", schema: z.record(z.string(), z.unknown()) },
    errors: ["not_found"],
  }),
} as const;
