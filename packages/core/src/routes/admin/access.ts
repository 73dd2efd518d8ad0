import { z } from "zod";
import { gatewayKey } from "../../entities/index.js";
import { viewSchema } from "../resources/view.js";
import { creationHeaders } from "../creation-headers.js";
import { restRoute } from "../route.js";
import { importedKeyBody, password } from "./access-inputs.js";

const id = z.strictObject({ id: z.string().min(1).max(64) });
const keyView = viewSchema(gatewayKey);
const shownKey = keyView.extend({ key: z.string().describe("shown only now") });
const provider = z.strictObject({ name: z.string().min(1).max(60) });
const redirect = z.object({ location: z.string() });

const signedIn = z.object({
  user: z.object({ id: z.string(), username: z.string(), name: z.string().nullable(), project_id: z.string() }),
  csrf_token: z.string().describe("to be sent as x-sallyport-csrf with everything that changes something"),
});

/** Who signs in and out. `open`: whoever signs in has no credential yet. */
export const signInRoutes = {
  login: restRoute({
    name: "auth.login",
    method: "POST",
    path: "/api/v1/login",
    summary: "Signs in with a password: a session cookie, and the token that changes have to carry.",
    open: true,
    permission: null,
    body: z.strictObject({ username: z.string().min(1).max(1_000), password: z.string().min(1).max(16_384) }),
    output: { status: 200, kind: "json", schema: signedIn },
    errors: ["unauthenticated", "rate_limited", "overloaded", "not_found", "missing_dependency"],
  }),
  logout: restRoute({
    name: "auth.logout",
    method: "POST",
    path: "/api/v1/logout",
    summary: "Ends the session. One that is over already is no error.",
    open: true,
    permission: null,
    body: z.strictObject({}),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: z.object({ signed_out: z.literal(true) }) },
    errors: ["forbidden", "not_found"],
  }),
  oidc: restRoute({
    name: "auth.oidc",
    method: "GET",
    path: "/api/v1/login/oidc/{name}",
    summary: "Sends the browser to an OpenID provider to sign in.",
    open: true,
    permission: null,
    params: provider,
    query: z.strictObject({ return_to: z.string().max(500).optional().describe("a path of this gateway") }),
    output: { status: 302, kind: "json", schema: redirect },
    errors: ["rate_limited", "not_found", "misconfigured", "missing_dependency", "upstream_unavailable"],
  }),
  callback: restRoute({
    name: "auth.oidc.callback",
    method: "GET",
    path: "/api/v1/login/oidc/{name}/callback",
    summary: "Where the provider sends the browser back to: its session begins.",
    open: true,
    navigable: true,
    permission: null,
    params: provider,
    output: { status: 302, kind: "json", schema: redirect },
    errors: ["unauthenticated", "forbidden", "not_found", "misconfigured", "missing_dependency", "upstream_unavailable"],
  }),
} as const;

/** What callers ask about themselves: any may. */
export const ownRoutes = {
  me: restRoute({
    name: "auth.me",
    method: "GET",
    path: "/api/v1/me",
    summary: "Who the caller is, and what it may.",
    permission: null,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        id: z.string(),
        kind: z.enum(["owner", "key", "user", "host", "system"]),
        name: z.string(),
        projects: z.array(z.string()).describe("the first is where its new rows go"),
        scopes: z.array(z.string()),
        bounds: z.array(z.array(z.string())).describe("scopes of those that it was made from: each list has to allow as well"),
        key_id: z.string().nullable(),
        user_id: z.string().nullable(),
        team_id: z.string().nullable(),
        csrf_token: z.string().nullable().describe("null: the caller is none of a session"),
      }),
    },
    errors: [],
  }),
  password: restRoute({
    name: "auth.password",
    method: "POST",
    path: "/api/v1/me/password",
    summary: "Changes the caller's own password. Its sessions end; this one goes on as a new one.",
    permission: null,
    body: z.strictObject({ password, current_password: z.string().min(1).max(16_384) }),
    output: { status: 200, kind: "json", schema: z.object({ csrf_token: z.string() }) },
    errors: ["forbidden", "not_found", "missing_dependency", "overloaded", "rate_limited"],
  }),
} as const;

export const keyRoutes = {
  rotate: restRoute({
    name: "keys.rotate",
    method: "POST",
    path: "/api/v1/keys/{id}/rotate",
    summary: "A new key for the same row, shown once. The one before stays valid for overlap_ms.",
    permission: { what: "keys", name: "write" },
    params: id,
    body: z.strictObject({ overlap_ms: z.int().min(0).max(2_592_000_000).optional().describe("0 when left out") }),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: shownKey },
    errors: ["forbidden", "not_found", "conflict"],
  }),
  revoke: restRoute({
    name: "keys.revoke",
    method: "POST",
    path: "/api/v1/keys/{id}/revoke",
    summary: "The key and those that were made from it are valid no longer; their calls under way end.",
    permission: { what: "keys", name: "write" },
    params: id,
    body: z.strictObject({}),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: keyView },
    errors: ["forbidden", "not_found"],
  }),
  import: restRoute({
    name: "keys.import",
    method: "POST",
    path: "/api/v1/keys/import",
    summary: "A key of another system by its hash: it is checked once, when it is first presented.",
    permission: { what: "keys", name: "write" },
    headers: creationHeaders,
    body: importedKeyBody,
    output: { status: 201, kind: "json", schema: keyView },
    errors: ["forbidden", "conflict", "idempotency_key_reuse"],
  }),
  resetPassword: restRoute({
    name: "users.password",
    method: "POST",
    path: "/api/v1/users/{id}/password",
    summary: "Sets somebody's password and ends their sessions. Only for who may all that they may.",
    permission: { what: "users", name: "write" },
    params: id,
    body: z.strictObject({ password }),
    output: { status: 200, kind: "json", schema: z.object({ id: z.string() }) },
    errors: ["forbidden", "not_found", "missing_dependency", "overloaded"],
  }),
} as const;
