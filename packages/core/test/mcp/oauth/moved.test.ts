import { describe, expect, it } from "vitest";
import { agreed, consented, signIn, Visitor, whoami, world } from "./harness.js";

// A server that names another authorization server than before (SEP-2352, T15).

const open = { network: { allowPrivate: true } };

describe("a server that names another authorization server (T15)", () => {
  it("is followed when an operator agrees to that, with a registration of its own and nothing of before", async () => {
    const { as, server, gateway } = await world();
    const other = await world();
    server.authorizationServers = [as.issuer];
    as.registersSecret = other.as.registersSecret = true;
    const made = await gateway({}, open);
    await signIn(made);
    expect(await whoami(made)).toMatchObject({ clientId: "registered-1" });
    const before = [...server.done.map(({ token }) => token), ...as.seen.map(({ body }) => body)];
    server.look = (token) => other.as.look(token);
    server.authorizationServers = [other.as.issuer];
    // No call follows it by itself: what was issued is renewed where it was issued.
    await whoami(made).catch(() => undefined);
    expect(other.as.seen).toEqual([]);
    const begun = await made.mcp.oauth.start("web", { base: "http://localhost" });
    const shown = await (await new Visitor(made).show(begun.authorizationUrl)).text();
    expect(shown).toContain(
      `So far this server was signed in at by ${new URL(as.issuer).host}. It names ${new URL(other.as.issuer).host} now`,
    );
    // As long as nobody agreed, it is held to the one before.
    expect(await made.mcp.oauth.reacquire("web")).toMatchObject({ tokenAcquired: true });
    const { authorizationUrl, cookie } = await consented(made, begun);
    const back = await agreed(authorizationUrl);
    await made.mcp.oauth.finish(back.searchParams, () => cookie);
    expect(await whoami(made)).toMatchObject({ clientId: "registered-1", grant: "authorization_code" });
    other.as.expireAll();
    expect(await whoami(made)).toMatchObject({ clientId: "registered-1" });
    expect(other.as.issued).toEqual({ authorization_code: 1, refresh_token: 1 });
    const heard = JSON.stringify(other.as.seen);
    for (const secret of [...as.secrets, ...before.filter((text) => /^(access|refresh)-/.test(text))]) expect(heard).not.toContain(secret);
    // From now on it is held to the new one.
    server.authorizationServers = [as.issuer];
    const again = await made.mcp.oauth.start("web", { base: "http://localhost" });
    expect(await (await new Visitor(made).show(again.authorizationUrl)).text()).toContain("So far this server was signed in at by");
  });

  it("is followed for nobody who signs in for itself", async () => {
    const { as, server, gateway } = await world();
    const other = await world();
    server.authorizationServers = [as.issuer];
    const made = await gateway({ credentials: "perUser" }, open);
    const begun = await made.mcp.oauth.start("web", { base: "http://localhost", principal: "user_ada" });
    const { authorizationUrl, cookie } = await consented(made, begun);
    await made.mcp.oauth.finish((await agreed(authorizationUrl)).searchParams, () => cookie);
    server.authorizationServers = [other.as.issuer];
    const moved = made.mcp.oauth.start("web", { base: "http://localhost", principal: "user_bob" });
    await expect(moved).rejects.toMatchObject({ code: "misconfigured", details: { reason: "issuer_changed" } });
    expect(other.as.seen.map(({ path }) => path)).toEqual(["/.well-known/oauth-authorization-server"]);
  });

  it("is followed with a document of metadata that is the client's id, and with no client that was registered by hand", async () => {
    const { as, server, gateway } = await world();
    const other = await world();
    for (const one of [as, other.as]) one.metadata = { client_id_metadata_document_supported: true };
    server.authorizationServers = [as.issuer];
    const clientId = "https://host.example/client-metadata.json";
    const made = await gateway({ clientId }, open);
    await signIn(made);
    server.look = (token) => other.as.look(token);
    server.authorizationServers = [other.as.issuer];
    await signIn(made);
    expect(await whoami(made)).toMatchObject({ clientId });
    expect([...as.seen, ...other.as.seen].filter(({ path }) => path === "/register")).toEqual([]);
  });
});
