import { actorOf, newKeyOf } from "../../access/resource-actions.js";
import type { Identity } from "../../access/identity.js";
import { clearSessionCookie, setSessionCookie, type SetCookie } from "../../access/sign-in/cookies.js";
import type { SignedIn } from "../../access/sign-in/login.js";
import { assertNotForged } from "../../access/sign-in/same-site.js";
import type { HttpAnswer } from "../../calls/index.js";
import { gatewayKey } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { keyRoutes, ownRoutes, signInRoutes, toView } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import { jsonAnswer } from "../answers.js";
import type { Exchange, Handler, OpenExchange, OpenHandler } from "../exchange.js";
import { jsonHandler, readInput } from "../faces/rest-face.js";
import { keyedHandler, type Idempotency } from "../resources/index.js";

type Known = () => Identity;

/** Signing in and out: the only changes that need no caller. */
export function signInHandlers(services: Services, known: Known): Readonly<Record<keyof typeof signInRoutes, OpenHandler>> {
  return {
    login: async (x) => {
      const { login } = known().signIn;
      const { body } = await readInput(signInRoutes.login, x);
      return signedIn(await login.withPassword(body, x.inbound, x.requestId), x);
    },
    logout: async (x) => {
      const { login, sessions } = known().signIn;
      const token = sessions.csrfOf(x.inbound);
      if (token !== null) assertNotForged(x.inbound, token, services.crypto);
      await readInput(signInRoutes.logout, x);
      await login.logout(x.inbound, x.requestId);
      return withCookies(jsonAnswer(200, { signed_out: true }), [clearSessionCookie(x.inbound)]);
    },
    oidc: async (x) => {
      const { params, query } = await readInput(signInRoutes.oidc, x);
      const { location, cookies } = await known().signIn.oidc.begin(params.name, x.inbound, query.return_to);
      return redirect(location, cookies);
    },
    callback: async (x) => {
      const { params } = await readInput(signInRoutes.callback, x);
      const { session, returnTo, cookies } = await known().signIn.oidc.finish(params.name, x.inbound, x.requestId);
      const location = returnTo ?? (x.inbound.basePath === "" ? "/" : x.inbound.basePath);
      return redirect(location, [...cookies, setSessionCookie(x.inbound, session.token, session.maxMs)]);
    },
  };
}

/** What callers ask about themselves. */
export function ownHandlers(known: Known): Readonly<Record<keyof typeof ownRoutes, Handler>> {
  return {
    me: jsonHandler(ownRoutes.me, (_input, { caller, inbound }: Exchange) => ({
      ...{ id: caller.id, kind: caller.kind, name: caller.name, projects: [...caller.projects], scopes: [...caller.grants] },
      bounds: (caller.bounds ?? []).map((scopes) => [...scopes]),
      ...{ key_id: caller.keyId ?? null, user_id: caller.userId ?? null, team_id: caller.teamId ?? null },
      csrf_token: caller.kind === "user" ? known().csrfOf(inbound) : null,
    })),
    password: async (x: Exchange) => {
      const identity = known();
      const { sessions } = identity.signIn;
      if (x.caller.kind !== "user")
        throw new GatewayError("forbidden", "Only a user who signed in has a password.", {
          hint: "POST /api/v1/users/{id}/password sets somebody's.",
        });
      const { body } = await readInput(ownRoutes.password, x);
      await identity.signIn.login.limited(x.caller.id, x.inbound, () =>
        identity.users.setPassword(x.caller.id, { password: body.password, current: body.current_password }, actorOf(x)),
      );
      const session = await sessions.beginAgain(x.caller.id, x.inbound);
      return withCookies(jsonAnswer(200, { csrf_token: session.csrf }), [setSessionCookie(x.inbound, session.token, session.maxMs)]);
    },
  };
}

/** What of keys and users is not derived. */
export function keyHandlers(known: Known, idempotency: Idempotency): Readonly<Record<keyof typeof keyRoutes, Handler>> {
  return {
    rotate: jsonHandler(keyRoutes.rotate, async ({ params, body }, x: Exchange) => {
      const { key, ...row } = await known().keys.rotate(params.id, { overlapMs: body.overlap_ms }, actorOf(x));
      return { ...toView(gatewayKey, row), key } as never;
    }),
    revoke: jsonHandler(
      keyRoutes.revoke,
      async ({ params }, x: Exchange) => toView(gatewayKey, await known().keys.revoke(params.id, actorOf(x))) as never,
    ),
    import: keyedHandler(keyRoutes.import, { idempotency }, async ({ body }, x) => {
      const { hash, prefix, scheme, ...rest } = body;
      return toView(gatewayKey, await known().keys.import({ ...newKeyOf(rest), hash, prefix, scheme }, actorOf(x))) as never;
    }),
    resetPassword: jsonHandler(keyRoutes.resetPassword, async ({ params, body }, x: Exchange) => {
      await known().users.setPassword(params.id, { password: body.password }, actorOf(x));
      return { id: params.id };
    }),
  };
}

function signedIn({ user, session }: SignedIn, x: OpenExchange): HttpAnswer {
  const { id, username, name, projectId } = user;
  const answer = jsonAnswer(200, { user: { id, username, name, project_id: projectId }, csrf_token: session.csrf });
  return withCookies(answer, [setSessionCookie(x.inbound, session.token, session.maxMs)]);
}

function redirect(location: string, cookies: readonly SetCookie[]): HttpAnswer {
  const answer = jsonAnswer(302, { location });
  return withCookies({ ...answer, headers: [...answer.headers, ["location", location], ["referrer-policy", "no-referrer"]] }, cookies);
}

function withCookies(answer: HttpAnswer, cookies: readonly SetCookie[]): HttpAnswer {
  return { ...answer, headers: [...answer.headers, ...cookies] };
}
