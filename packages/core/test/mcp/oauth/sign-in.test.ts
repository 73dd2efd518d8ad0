import { describe, expect, it } from "vitest";
import { agreed, consented, signIn, until, whoami, world } from "./harness.js";

describe("client credentials", () => {
  it("are asked for once, sent raw in HTTP Basic, and bound to the resource", async () => {
    const { as, server, gateway } = await world();
    // Providers compare the secret as it stands: percent-encoding would make it another one.
    as.clients.set("gate+way", "s/cr=t+with:signs");
    const made = await gateway({
      grant: "client_credentials",
      issuer: as.issuer,
      clientId: "gate+way",
      clientSecret: "s/cr=t+with:signs",
      scope: "tools",
    });
    const seen = await Promise.all(Array.from({ length: 10 }, () => whoami(made)));
    expect(seen[0]).toMatchObject({ clientId: "gate+way", grant: "client_credentials", scope: "tools", resource: server.url });
    expect(as.issued).toEqual({ client_credentials: 1 });
    const [asked] = as.seen.filter(({ path }) => path === "/token");
    expect(asked!.authorization).toBe(`Basic ${Buffer.from("gate+way:s/cr=t+with:signs").toString("base64")}`);
    expect(asked!.form.has("client_secret")).toBe(false);
    expect(await made.mcp.oauth.status("web")).toMatchObject({
      configured: true,
      tokenAcquired: true,
      grant: "client_credentials",
      needsReauth: false,
    });
  });

  it("go into the body when the operator says so, by addresses that were given by hand", async () => {
    const { as, gateway } = await world();
    as.clients.set("me", "secret-of-mine");
    const byHand = {
      tokenUrl: `${as.issuer}/token`,
      clientId: "me",
      clientSecret: "secret-of-mine",
      endpointAuthStyle: "params",
      resource: "none",
    };
    const made = await gateway({ grant: "client_credentials", ...byHand });
    expect(await whoami(made)).toMatchObject({ clientId: "me", resource: null });
    expect(as.seen.map(({ path }) => path)).toEqual(["/token"]);
    expect(as.seen[0]!.authorization).toBeUndefined();
    expect(as.seen[0]!.form.get("client_secret")).toBe("secret-of-mine");
  });

  it("get another token when the server does not take the one there is, and the call is done once", async () => {
    const { as, server, gateway } = await world();
    const made = await gateway({ grant: "client_credentials", issuer: as.issuer, clientId: "me", clientSecret: "secret-of-mine" });
    await whoami(made);
    as.expireAll();
    await Promise.all([whoami(made), whoami(made), whoami(made)]);
    expect(as.issued).toEqual({ client_credentials: 2 });
    expect(server.done).toHaveLength(4);
  });

  it("ask for the scope that a server wants beyond what there is, once", async () => {
    const { as, server, gateway } = await world();
    server.scope = "write";
    const made = await gateway({
      grant: "client_credentials",
      issuer: as.issuer,
      clientId: "me",
      clientSecret: "secret-of-mine",
      scope: "read",
    });
    expect(await whoami(made)).toMatchObject({ scope: "read write" });
    expect(server.done).toHaveLength(1);
    // One that grants less than it was asked for does not make a circle.
    server.scope = "admin";
    as.lies.push("server_error");
    await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_unavailable" });
  });
});

describe("an authorization code", () => {
  it("is got with PKCE S256, state and the resource, and the tokens are sealed", async () => {
    const { as, server, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me", prompt: "consent" });
    await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_credential", details: { reason: "authorization_required" } });
    const begun = await made.mcp.oauth.start("web", { base: "http://localhost", by: "ada" });
    const { authorizationUrl, cookie } = await consented(made, begun);
    const url = new URL(authorizationUrl);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ...{
        response_type: "code",
        client_id: "me",
        code_challenge_method: "S256",
        prompt: "consent",
        state: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string,
        resource: server.url,
      },
      redirect_uri: "http://localhost/api/v1/admin/oauth/callback",
    });
    const back = await agreed(authorizationUrl);
    expect(await made.mcp.oauth.finish(back.searchParams, () => cookie)).toMatchObject({ server: "web", principal: "", returnUrl: null });
    expect(await whoami(made)).toMatchObject({ clientId: "me", grant: "authorization_code", resource: server.url });
    const status = await made.mcp.oauth.status("web");
    expect(status).toMatchObject({
      configured: true,
      tokenAcquired: true,
      hasRefreshToken: true,
      needsReauth: false,
      authenticatedBy: "ada",
      grant: "authorization_code",
    });
    expect(JSON.stringify(status)).not.toMatch(/access-|refresh-/);
    // Its state was of use once.
    await expect(made.mcp.oauth.finish(back.searchParams, () => cookie)).rejects.toMatchObject({ code: "not_found" });
  });

  it("is finished by one of many who come with it at once", async () => {
    const { as, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    const begun = await made.mcp.oauth.start("web", { base: "http://localhost" });
    const { authorizationUrl, cookie } = await consented(made, begun);
    const back = await agreed(authorizationUrl);
    const ends = await Promise.allSettled(Array.from({ length: 8 }, () => made.mcp.oauth.finish(back.searchParams, () => cookie)));
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(as.seen.filter(({ path }) => path === "/token")).toHaveLength(1);
  });

  it("brings the server up at once, and a withdrawn one is told as that", async () => {
    const { as, server, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    expect(made.mcp.status()[0]).toMatchObject({
      connected: false,
      lastError: expect.stringContaining("Awaiting OAuth authorization") as string,
    });
    await signIn(made);
    await until(() => made.mcp.status()[0]!.connected);
    expect((await made.mcp.tools()).map(({ name }) => name)).toEqual(["web__whoami"]);
    as.revokeAll();
    await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_credential", details: { reason: "authorization_required" } });
    expect(await made.mcp.oauth.status("web")).toMatchObject({
      tokenAcquired: false,
      needsReauth: true,
      lastError: "invalid_grant",
      hasRefreshToken: false,
    });
    const asked = as.seen.length;
    await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_credential" });
    expect([as.seen.length, server.done.length]).toEqual([asked, 0]);
  });
});
