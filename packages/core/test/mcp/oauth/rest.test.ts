import { describe, expect, it } from "vitest";
import { agreed, ask, until, Visitor, world, type Answered } from "./harness.js";

const base = "/api/v1/admin/gateway/connections";
const linkOf = (begun: Answered) => String(begun.json()["authorization_url"]);
const codeOf = (begun: Answered) => String(begun.json()["confirmation_code"]);

describe("over REST", () => {
  it("an operator signs in with a browser, once, and comes back where they were", async () => {
    const { as, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    const started = await ask(made, ["POST", `${base}/web/oauth-start`], { body: { return_url: "/docs" } });
    expect(started.json()).toMatchObject({ redirect_uri: "http://localhost/api/v1/admin/oauth/callback" });
    const { authorization_url: link, confirmation_code: code, state } = started.json() as Record<string, string>;
    expect(state).toBeNull();
    const visitor = new Visitor(made);
    const sent = await visitor.agree(link!, code!);
    const back = await agreed(sent.headers.get("location")!);
    const done = await visitor.comeBack(back);
    expect([done.status, done.headers.get("location")]).toEqual([302, "/docs"]);
    const again = await visitor.comeBack(back);
    expect([again.status, again.headers.get("content-type"), again.headers.get("location")]).toEqual([
      400,
      "text/html; charset=utf-8",
      null,
    ]);
    const shown = (await ask(made, ["GET", `${base}/web/oauth-token`])).json();
    expect(shown).toMatchObject({ token_acquired: true, has_refresh_token: true, needs_reauth: false, grant: "authorization_code" });
    expect(Date.parse(String(shown["expires_at"]))).toBeGreaterThan(Date.now());
    const events = (await ask(made, ["GET", `${base}/web/oauth-events`])).json()["data"] as {
      kind: string;
      idp_host: string;
      actor: string;
    }[];
    expect(events.map(({ kind }) => kind)).toEqual(["connect_completed", "connect_started"]);
    expect(events[0]!.idp_host).toBe(new URL(as.issuer).host);
  });

  it("tells what does not exist from what no browser is of use for, and takes no address of others to come back to", async () => {
    const { as, gateway } = await world();
    const own = await gateway({ grant: "client_credentials", issuer: as.issuer, clientId: "me", clientSecret: "secret-of-mine" });
    expect((await ask(own, ["POST", `${base}/nothing/oauth-start`], { body: {} })).status).toBe(404);
    expect((await ask(own, ["POST", `${base}/web/oauth-start`], { body: {} })).status).toBe(409);
    expect((await ask(own, ["PUT", `${base}/web/oauth-token`], { body: { access_token: "x" } })).status).toBe(409);
    const browser = await gateway({ issuer: as.issuer, clientId: "me" });
    for (const bad of ["https://evil.example/", "//evil.example", "/\\evil.example"])
      expect((await ask(browser, ["POST", `${base}/web/oauth-start`], { body: { return_url: bad } })).status).toBe(400);
  });

  it("takes a token that was got elsewhere, renews it, and forgets it", async () => {
    const { as, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    const begun = await ask(made, ["POST", `${base}/web/oauth-start`], { body: {} });
    expect((await new Visitor(made).signIn(linkOf(begun), codeOf(begun))).status).toBe(200);
    const renewed = await ask(made, ["POST", `${base}/web/oauth-reacquire`], { body: {} });
    expect([renewed.status, as.issued["refresh_token"]]).toEqual([200, 1]);
    expect(renewed.json()["last_refreshed_at"]).not.toBeNull();
    const put = await ask(made, ["PUT", `${base}/web/oauth-token`], {
      body: { access_token: "brought-from-elsewhere", refresh_token: "and-its-refresh" },
    });
    expect(put.json()).toMatchObject({ token_acquired: true, has_refresh_token: true, expires_at: null });
    expect((await ask(made, ["DELETE", `${base}/web/oauth-token`])).json()).toEqual({ removed: true });
    expect((await ask(made, ["POST", `${base}/web/oauth-reacquire`], { body: {} })).status).toBe(409);
    const kinds = ((await ask(made, ["GET", `${base}/web/oauth-events`])).json()["data"] as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["token_ingested", "token_deleted_admin", "refresh_succeeded"]));
  });

  it("gets client credentials anew on demand", async () => {
    const { as, gateway } = await world();
    const made = await gateway({ grant: "client_credentials", issuer: as.issuer, clientId: "me", clientSecret: "secret-of-mine" });
    await until(() => as.issued["client_credentials"] === 1);
    const renewed = await ask(made, ["POST", `${base}/web/oauth-reacquire`], { body: {} });
    expect([renewed.status, as.issued["client_credentials"]]).toEqual([200, 2]);
  });

  it("says who it is in a document that its client id leads to, and uses it where that is understood", async () => {
    const { as, gateway } = await world();
    const plain = await gateway({ issuer: as.issuer });
    expect((await ask(plain, ["GET", "/oauth/client-metadata"], { headers: { authorization: "" } })).status).toBe(404);
    as.metadata = { client_id_metadata_document_supported: true };
    const made = await gateway({ issuer: as.issuer }, { access: { publicUrl: "https://gateway.example/ai/" } });
    const document = await ask(made, ["GET", "/oauth/client-metadata"], { headers: { authorization: "" } });
    const clientId = "https://gateway.example/ai/oauth/client-metadata";
    expect(document.json()).toMatchObject({
      client_id: clientId,
      redirect_uris: ["https://gateway.example/ai/api/v1/admin/oauth/callback"],
    });
    const begun = await ask(made, ["POST", `${base}/web/oauth-start`], { body: {} });
    expect(linkOf(begun)).toMatch(/^https:\/\/gateway\.example\/ai\/api\/v1\/oauth\/sign-in\//);
    const page = new URL(linkOf(begun));
    const sent = await new Visitor(made).agree(`https://localhost${page.pathname.slice(3)}`, codeOf(begun));
    expect(new URL(sent.headers.get("location")!).searchParams.get("client_id")).toBe(clientId);
    expect(as.seen.some(({ path }) => path === "/register")).toBe(false);
  });

  it("registers itself where there is no other way, once", async () => {
    const { as, gateway } = await world();
    const made = await gateway({ issuer: as.issuer });
    const first = await ask(made, ["POST", `${base}/web/oauth-start`], { body: {} });
    const second = await ask(made, ["POST", `${base}/web/oauth-start`], { body: {} });
    const visitor = new Visitor(made);
    const sent = [await visitor.agree(linkOf(first), codeOf(first)), await visitor.agree(linkOf(second), codeOf(second))];
    const addresses = sent.map((answer) => new URL(answer.headers.get("location")!));
    expect(addresses.map(({ searchParams }) => searchParams.get("client_id"))).toEqual(["registered-1", "registered-1"]);
    expect(as.seen.filter(({ path }) => path === "/register")).toHaveLength(1);
    // Several that one browser agreed to do not disturb each other.
    for (const address of addresses) expect((await visitor.comeBack(await agreed(address.href))).status).toBe(200);
  });
});
