import { describe, expect, it } from "vitest";
import { authEvent, oauthToken } from "../../../src/entities/index.js";
import type { GatewayOptions } from "../../../src/gateway-options.js";
import type { GatewayError } from "../../../src/errors/index.js";
import { memoryStore } from "../../../src/memory/index.js";
import { clock } from "../../../src/platform/node.js";
import { update, type RecordStore } from "../../../src/ports/index.js";
import { signIn, until, whoami, world } from "./harness.js";

const SECRET = "c2VjcmV0LW9mLXRlc3RzLWZvci1zaWduLWlucy0zMmI=";
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const system = { system: "test" };

/** What processes on one store are made with. `before` sees each commit, and may refuse it. */
function shared(before: (writes: string) => void = () => undefined) {
  const store = memoryStore({ clock });
  const watched: RecordStore = new Proxy(store, {
    get(target, name) {
      if (name === "close") return () => Promise.resolve();
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      const method = value.bind(target) as (...given: unknown[]) => unknown;
      return name !== "commit"
        ? method
        : async (...given: unknown[]) => {
            before(JSON.stringify(given[0]));
            return method(...given);
          };
    },
  });
  const logged: string[] = [];
  const options: GatewayOptions = {
    storage: { name: "shared", open: () => Promise.resolve(watched) },
    secret: SECRET,
    log: (level, message, fields) => void logged.push(JSON.stringify([level, message, fields])),
    logging: { level: "debug" },
  };
  const events = async () =>
    (await store.find(authEvent, { where: { targetId: "web" }, orderBy: "atMs", limit: 100 }, system, within)).rows;
  const row = async () => (await store.find(oauthToken, { orderBy: "id", limit: 1 }, system, within)).rows[0]!;
  return { store, options, events, row, logged };
}

describe("a refresh", () => {
  it("is made once for fifty calls of two processes, and a rotating refresh token is spent once (F75)", async () => {
    const { as, server, gateway } = await world();
    const { options, events } = shared();
    const [one, two] = [
      await gateway({ issuer: as.issuer, clientId: "me" }, options),
      await gateway({ issuer: as.issuer, clientId: "me" }, options),
    ];
    await signIn(one);
    await Promise.all([whoami(one), whoami(two)]);
    as.expireAll();
    const seen = await Promise.all(Array.from({ length: 50 }, (_, i) => whoami(i % 2 === 0 ? one : two)));
    expect(seen).toHaveLength(50);
    expect(as.issued).toEqual({ authorization_code: 1, refresh_token: 1 });
    expect(server.done).toHaveLength(52);
    // Nothing was ended by the authorization server's watch for stolen tokens: it goes on.
    as.expireAll();
    await whoami(two);
    expect(as.issued["refresh_token"]).toBe(2);
    expect((await events()).map(({ kind }) => kind)).toEqual([
      "connect_started",
      "connect_completed",
      "refresh_succeeded",
      "refresh_succeeded",
    ]);
    expect((await events())[2]).toMatchObject({ detail: { rotated: true, idp_host: new URL(as.issuer).host } });
  });

  it("keeps the refresh token, and its deadline, when no other is sent", async () => {
    const { as, gateway } = await world();
    const { options, row } = shared();
    as.rotates = false;
    as.refreshTokenS = 7_200;
    const made = await gateway({ issuer: as.issuer, clientId: "me" }, options);
    await signIn(made);
    const before = await row();
    as.expireAll();
    as.refreshTokenS = 60;
    await whoami(made);
    const after = await row();
    expect([after.refreshToken, after.refreshExpiresAtMs]).toEqual([before.refreshToken, before.refreshExpiresAtMs]);
    expect(after.accessToken).not.toBe(before.accessToken);
    expect(after.accessToken).toMatch(/^v1\./);
  });

  it("that fails for a while keeps the sign-in, asks not again at once, and says nothing of what was answered", async () => {
    const { as, gateway } = await world();
    const { options, row, events, logged } = shared();
    const made = await gateway({ issuer: as.issuer, clientId: "me" }, options);
    await signIn(made);
    as.expireAll();
    as.lies.push("quotes_request");
    const failed = await whoami(made).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "upstream_unavailable" });
    await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_unavailable" });
    expect(as.seen.filter(({ path }) => path === "/token")).toHaveLength(2);
    expect(await row()).toMatchObject({ state: "connected", lastError: "invalid_request" });
    expect((await events()).at(-1)).toMatchObject({ kind: "refresh_failed_transient", detail: { idp_error_code: "invalid_request" } });
    const said = JSON.stringify([failed, String(failed), await events(), logged]);
    expect(said).not.toMatch(/you sent|refresh-[A-Za-z0-9_-]{24}|access-[A-Za-z0-9_-]{24}/);
    expect(await made.mcp.oauth.status("web")).toMatchObject({ tokenAcquired: true, needsReauth: false, lastError: "invalid_request" });
  });

  it.each(["invalid_grant", "invalid_client_401"] as const)(
    "that is refused for good (%s) ends the sign-in, and tells it as that",
    async (lie) => {
      const { as, gateway } = await world();
      const { options, row, events } = shared();
      const made = await gateway({ issuer: as.issuer, clientId: "me" }, options);
      await signIn(made);
      as.expireAll();
      as.lies.push(lie);
      await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_credential", details: { reason: "authorization_required" } });
      expect(await row()).toMatchObject({ state: "revoked", accessToken: null, refreshToken: null });
      expect(
        (await events())
          .slice(-2)
          .map(({ kind }) => kind)
          .sort(),
      ).toEqual(["refresh_failed_revoked", "token_deleted_revoked"]);
    },
  );

  it("whose answer was lost after the token was rotated ends with a person, and not in a circle (F76)", async () => {
    const { as, gateway } = await world();
    const { options, row, store } = shared();
    const made = await gateway({ issuer: as.issuer, clientId: "me" }, options);
    await signIn(made);
    as.expireAll();
    as.lies.push("loses_answer");
    await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_unavailable" });
    expect(await row()).toMatchObject({ state: "connected" });
    // Once the pause is over: the refresh token is spent, and the authorization server ends the sign-in.
    const { id } = await row();
    await store.commit([{ scope: system, writes: [update(oauthToken, id, { change: { set: { retryAtMs: 0 } } })] }], within);
    await until(() =>
      whoami(made).then(
        () => false,
        (error: GatewayError) => error.details?.["reason"] === "authorization_required",
      ),
    );
    const asked = as.seen.filter(({ path }) => path === "/token").length;
    for (let i = 0; i < 5; i++) await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_credential" });
    expect(as.seen.filter(({ path }) => path === "/token")).toHaveLength(asked);
    await signIn(made);
    expect(await whoami(made)).toMatchObject({ grant: "authorization_code" });
  });

  it("that cannot be stored at once is stored later, and no token is spent twice", async () => {
    const { as, gateway } = await world();
    let refusals = 2;
    const { options, row } = shared((writes) => {
      if (!/"lastRefreshedAtMs":\d/.test(writes) || refusals-- <= 0) return;
      throw new Error("the store is away");
    });
    const made = await gateway({ issuer: as.issuer, clientId: "me" }, options);
    await signIn(made);
    as.expireAll();
    await whoami(made);
    expect(refusals).toBeLessThanOrEqual(0);
    expect(as.issued["refresh_token"]).toBe(1);
    expect((await row()).lastRefreshedAtMs).not.toBeNull();
  });

  it("is made by a process that starts, for sign-ins that are near their end, without a call", async () => {
    const { as, gateway } = await world();
    const { options, row } = shared();
    as.accessTokenS = 120;
    const one = await gateway({ issuer: as.issuer, clientId: "me" }, options);
    await signIn(one);
    expect(as.issued["refresh_token"]).toBeUndefined();
    await gateway({ issuer: as.issuer, clientId: "me" }, options);
    await until(async () => (await row()).lastRefreshedAtMs !== null);
    expect(as.issued["refresh_token"]).toBe(1);
  });

  it("of a token that a person removed meanwhile brings nothing back", async () => {
    const { as, gateway } = await world();
    const { options, store } = shared();
    const made = await gateway({ issuer: as.issuer, clientId: "me" }, options);
    await signIn(made);
    await whoami(made);
    expect(await made.mcp.oauth.remove("web", { by: "ada" })).toBe(true);
    await expect(whoami(made)).rejects.toMatchObject({ details: { reason: "authorization_required" } });
    expect((await store.find(oauthToken, { orderBy: "id", limit: 1 }, system, within)).rows).toEqual([]);
  });
});

it("a token is in no result, no log and no error, whatever its server quotes (T26)", async () => {
  const { as, server, gateway } = await world();
  const { options, logged } = shared();
  const made = await gateway({ issuer: as.issuer, clientId: "me" }, options);
  await signIn(made);
  const result = await made.mcp.call("web__whoami", { quote: true });
  const [token] = server.done.map((done) => done.token);
  expect(token).toMatch(/^access-/);
  const said = JSON.stringify(result.raw) + logged.join("");
  expect(said).not.toContain(token);
  expect(said).toContain("***");
});
