import { mayDo } from "../../access/grants.js";
import { isOwnPath } from "../../access/sign-in/own-path.js";
import { browserUrl } from "../../access/sign-in/cookies.js";
import { authEvent } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { McpOAuth, OAuthStatus } from "../../mcp/index.js";
import { oauthRoutes, type RouteOutput } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";

export interface OAuthHandlersOptions {
  readonly services: Services;
  readonly oauth: () => McpOAuth;
  readonly publicUrl: () => string | undefined;
}

const WITHIN_MS = 10_000;
/** Sign-ins that one caller may begin: each keeps a row for ten minutes, and asks an authorization server. */
const BEGUN = { limit: 30, windowMs: 300_000, cost: 1 };

/** Sign-ins of the gateway at MCP servers. */
export function oauthHandlers(o: OAuthHandlersOptions): Readonly<Record<keyof typeof oauthRoutes, Handler>> {
  const { clock } = o.services;
  return {
    start: jsonHandler(oauthRoutes.start, async ({ params, body }, x: Exchange) => {
      const whose = whoseOf({ o, x }, params.name);
      const { return_url: returnUrl } = body;
      if (returnUrl !== undefined && !isOwnPath(returnUrl))
        throw new GatewayError("validation_failed", "return_url: is a path of this gateway, such as /docs.", {
          details: { field: "return_url" },
        });
      await limit(o.services, x.caller.id);
      const base = browserUrl(x.inbound, o.publicUrl());
      const begun = await o.oauth().start(params.name, { ...whose, base, returnUrl });
      const { authorizationUrl, confirmationCode, redirectUri, expiresAtMs } = begun;
      // It is issued to the browser whose user agrees.
      const state = null;
      return {
        ...{ authorization_url: authorizationUrl, confirmation_code: confirmationCode, state },
        ...{ redirect_uri: redirectUri, expires_at: isoOf(expiresAtMs) },
      };
    }),
    show: jsonHandler(oauthRoutes.show, async ({ params, query }, x: Exchange) =>
      viewOf(await o.oauth().status(params.name, whoseOf({ o, x }, params.name, { principal: query.principal, right: "read" }))),
    ),
    ingest: jsonHandler(oauthRoutes.ingest, async ({ params, body }, x: Exchange) => {
      const inMs = (seconds: number | undefined) => (seconds === undefined ? undefined : clock.now() + seconds * 1_000);
      const token = {
        ...{
          accessToken: body.access_token,
          refreshToken: body.refresh_token,
          scope: body.scope,
          issuer: body.issuer,
          clientId: body.client_id,
        },
        ...{ expiresAtMs: inMs(body.expires_in), refreshExpiresAtMs: inMs(body.refresh_expires_in) },
      };
      return viewOf(await o.oauth().ingest(params.name, token, whoseOf({ o, x }, params.name, { principal: body.principal })));
    }),
    reacquire: jsonHandler(oauthRoutes.reacquire, async ({ params, body }, x: Exchange) =>
      viewOf(await o.oauth().reacquire(params.name, whoseOf({ o, x }, params.name, { principal: body.principal }))),
    ),
    remove: jsonHandler(oauthRoutes.remove, async ({ params, query }, x: Exchange) => ({
      removed: await o.oauth().remove(params.name, whoseOf({ o, x }, params.name, { principal: query.principal })),
    })),
    events: jsonHandler(oauthRoutes.events, async ({ params, query }, x: Exchange) => {
      o.services.seams.resources.assertEverywhere(x.caller, "servers:read");
      return eventsOf(o.services, params.name, query);
    }),
  };
}

/** Errors: `forbidden` for somebody else's sign-in, or that of all callers, without the right to it; `not_found`. */
function whoseOf(
  { o, x: { caller } }: { readonly o: OAuthHandlersOptions; readonly x: Exchange },
  name: string,
  asked: { readonly principal?: string | undefined; readonly right?: "read" | "write" } = {},
): { readonly principal?: string; readonly by: string } {
  const oauth = o.oauth();
  const isPerUser = oauth.isPerUser(name);
  const by = caller.name.slice(0, 100);
  const right = asked.right ?? "write";
  const own = oauth.principalOf(caller);
  const isOwn = isPerUser === true && (asked.principal === undefined || asked.principal === own);
  if (!isOwn && !mayDo(caller, "servers", right))
    throw new GatewayError("forbidden", `This key may not ${right} servers.`, {
      hint: `Grant it servers:${right}.`,
      details: { missing: `servers:${right}` },
    });
  if (!isOwn) o.services.seams.resources.assertEverywhere(caller, `servers:${right}`);
  return isPerUser === true ? { principal: asked.principal ?? own, by } : { by };
}

async function limit({ counters, clock }: Services, callerId: string): Promise<void> {
  const spent = await counters.spend([{ key: `mcp-oauth:begun:${callerId}`, ...BEGUN }], { deadlineMs: clock.now() + WITHIN_MS });
  if (spent.ok) return;
  throw new GatewayError("rate_limited", "Too many sign-ins were begun.", {
    retryAfterMs: Math.max(1_000, (spent.retryAtMs ?? clock.now()) - clock.now()),
  });
}

export function viewOf(status: OAuthStatus): RouteOutput<typeof oauthRoutes.show> {
  return {
    configured: status.configured,
    token_acquired: status.tokenAcquired,
    expires_at: instantOf(status.expiresAtMs),
    last_refreshed_at: instantOf(status.lastRefreshedAtMs),
    has_refresh_token: status.hasRefreshToken,
    last_error: status.lastError,
    grant: status.grant,
    needs_reauth: status.needsReauth,
    authenticated_by: status.authenticatedBy,
    authenticated_at: instantOf(status.authenticatedAtMs),
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
function instantOf(ms: number | null): string | null {
  return ms === null ? null : isoOf(ms);
}

async function eventsOf(
  { store, clock }: Services,
  name: string,
  q: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<RouteOutput<typeof oauthRoutes.events>> {
  const query = { where: { targetId: name }, orderBy: "atMs" as const, desc: true, ...q };
  const { rows, next } = await store.find(authEvent, query, { system: "sign-ins at MCP servers" }, { deadlineMs: clock.now() + WITHIN_MS });
  const data = rows.map(({ id, atMs, kind, callerId, detail }) => {
    const { idp_host: host, ...rest } = detail ?? {};
    return { id, occurred_at: isoOf(atMs), kind, name, actor: callerId, idp_host: typeof host === "string" ? host : null, detail: rest };
  });
  return { data, next_cursor: next };
}
