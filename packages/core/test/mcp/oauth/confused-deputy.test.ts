import { describe, expect, it } from "vitest";
import type { Gateway } from "../../../src/gateway.js";
import { createTestGateway } from "../../../src/testing/index.js";
import { FakeClock } from "../../../src/testing/fake-clock.js";
import { PASSWORD } from "../../access/harness.js";
import { agreed, ask, Visitor, world, type World } from "./harness.js";

// T36: somebody begins a sign-in and has somebody else finish it, so that the other's account is used for them. Source: MCP, Security Best Practices, "Confused Deputy Problem", and elicitation, "Phishing".

const START = "/api/v1/admin/gateway/connections/web/oauth-start";
const A43 = "A".repeat(43);

interface Begun {
  readonly link: string;
  readonly code: string;
}

/** A server that each caller signs in at, with users, and a key of nobody that may call it. */
async function scene(w?: World, clock?: FakeClock) {
  const { as, server } = w ?? (await world());
  const gateway = await createTestGateway({
    mcpServers: { web: { url: server.url, auth: { type: "oauth", issuer: as.issuer, credentials: "perUser", clientId: "me" } } },
    server: { allowedHosts: ["gateway.example"] },
    ...(clock === undefined ? {} : { clock }),
  } as never);
  for (const username of ["mallory", "victim"]) await gateway.users.create({ username, password: PASSWORD, role: "viewer" });
  const { key } = await gateway.keys.create({ name: "mallory's key", scopes: ["mcp:*"] });
  /** The one who began it holds the link and the code. */
  const begin = async (headers: Record<string, string> = { authorization: `Bearer ${key}` }): Promise<Begun> => {
    const started = await ask(gateway, ["POST", START], { body: {}, headers });
    expect(started.status).toBe(200);
    const { authorization_url: link, confirmation_code: code } = started.json() as Record<string, string>;
    return { link: link!, code: code! };
  };
  const signedIn = async (username: string): Promise<Visitor> => {
    const visitor = new Visitor(gateway);
    expect((await visitor.browser.login(username)).status).toBe(200);
    return visitor;
  };
  /** As the user's own client would begin it. */
  const beginAs = async (username: string): Promise<Begun> => {
    const { browser } = await signedIn(username);
    const started = (await (await browser.send(START, { method: "POST", body: {} })).json()) as Record<string, string>;
    return { link: started["authorization_url"]!, code: started["confirmation_code"]! };
  };
  const redeemed = () => as.seen.filter(({ path }) => path === "/token").length;
  return { as, gateway, begin, beginAs, signedIn, redeemed };
}
type Scene = Awaited<ReturnType<typeof scene>>;

async function closing<T>(gateway: Gateway, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } finally {
    await gateway.close({ graceMs: 0 });
  }
}

/** What is tried after somebody agreed: the callback, with whatever a browser brings. The answer is 400, and the code goes nowhere. */
const callbacks: Readonly<Record<string, (s: Scene, o: { back: URL; visitor: Visitor; other: Visitor }) => Promise<Response>>> = {
  "a browser that did not agree comes back with the state": ({ gateway }, { back }) => new Visitor(gateway).comeBack(back),
  "a browser that agreed to another sign-in comes back with it": (_s, { back, other }) => other.comeBack(back),
  "the cookie is another's value": (_s, { back, visitor }) => {
    for (const name of visitor.browser.cookies.keys()) visitor.browser.cookies.set(name, A43);
    return visitor.comeBack(back);
  },
  "the cookie was tossed beside another of its name": (_s, { back, visitor }) => {
    const [name] = [...visitor.browser.cookies.keys()].filter((one) => one.includes("agreed"));
    visitor.browser.cookies.set("x", `1; ${name}=${A43}`);
    return visitor.comeBack(back);
  },
  "over HTTPS the cookie has no __Host- prefix, as a subdomain could have set it": ({ gateway }, { back, visitor }) => {
    const elsewhere = new Visitor(gateway, { host: "gateway.example" });
    for (const [name, value] of visitor.browser.cookies) elsewhere.browser.cookies.set(name, value);
    return elsewhere.comeBack(back);
  },
  "the state stands twice": (_s, { back, visitor }) => visitor.comeBack(new URL(`${back.href}&state=${back.searchParams.get("state")}`)),
  "the state is another's": (_s, { back, visitor }) => visitor.comeBack(new URL(back.href.replace(/state=[^&]*/, `state=${A43}`))),
  "there is no state": (_s, { back, visitor }) => visitor.comeBack(new URL(back.href.replace(/&?state=[^&]*/, ""))),
};

/** What is tried at the page of consent. The answer leads nowhere. */
const consents: Readonly<Record<string, (s: Scene) => Promise<Response>>> = {
  "the page is of a browser that is signed in as somebody else": async (s) => {
    const { link, code } = await s.beginAs("mallory");
    return (await s.signedIn("victim")).agree(link, code);
  },
  "somebody who may not write servers signs in for all callers": async (s) => {
    await s.gateway.mcp
      .connect("all", { url: s.as.issuer, auth: { type: "oauth", issuer: s.as.issuer, clientId: "me" } } as never)
      .catch(() => undefined);
    const { authorizationUrl, confirmationCode } = await s.gateway.mcp.oauth.start("all", { base: "http://localhost" });
    return (await s.signedIn("victim")).agree(authorizationUrl, confirmationCode);
  },
  "the link was sent on without the code": async (s) => new Visitor(s.gateway).agree((await s.begin()).link, null),
  "a code was guessed": async (s) => new Visitor(s.gateway).agree((await s.begin()).link, "BBBB-BBBB"),
  "a page of elsewhere sends the form, and says so": async (s) => {
    const { link, code } = await s.begin();
    return new Visitor(s.gateway).agree(link, code, { headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" } });
  },
  "a page of elsewhere sends the form, and its browser says only that": async (s) => {
    const { link, code } = await s.begin();
    return new Visitor(s.gateway).agree(link, code, { headers: { origin: "null", "sec-fetch-site": "cross-site" } });
  },
  "the form is not of the page that this browser was shown": async (s) => {
    const { link, code } = await s.begin();
    return new Visitor(s.gateway).agree(link, code, { form: A43 });
  },
  "the form comes without what the page gave": async (s) => {
    const { link, code } = await s.begin();
    return new Visitor(s.gateway).agree(link, code, { form: "" });
  },
  "the state of another sign-in stands for the link": async (s) => {
    const visitor = new Visitor(s.gateway);
    const { link, code } = await s.begin();
    const sent = await visitor.agree(link, code);
    const state = new URL(sent.headers.get("location")!).searchParams.get("state")!;
    return visitor.agree(link.replace(/[^/]+$/, state), code);
  },
  "the link was used": async (s) => {
    const { link, code } = await s.begin();
    await new Visitor(s.gateway).agree(link, code);
    return new Visitor(s.gateway).agree(link, code);
  },
};

describe("a sign-in that was begun by another (T36)", () => {
  it.each(Object.keys(callbacks))("is not finished when %s", async (name) => {
    const s = await scene();
    await closing(s.gateway, async () => {
      const [visitor, other] = [new Visitor(s.gateway), new Visitor(s.gateway)];
      const { link, code } = await s.begin();
      const back = await agreed((await visitor.agree(link, code)).headers.get("location")!);
      const second = await s.begin();
      await other.agree(second.link, second.code);
      const answer = await callbacks[name]!(s, { back, visitor, other });
      expect([answer.status, answer.headers.get("location"), s.redeemed()]).toEqual([400, null, 0]);
    });
  });

  it.each(Object.keys(consents))("is not agreed to when %s", async (name) => {
    const s = await scene();
    await closing(s.gateway, async () => {
      const before = s.as.seen.filter(({ path }) => path === "/authorize").length;
      const answer = await consents[name]!(s);
      expect([403, 404]).toContain(answer.status);
      expect([answer.headers.get("location"), answer.headers.get("set-cookie") ?? ""]).toEqual([
        null,
        expect.not.stringContaining("agreed"),
      ]);
      expect(s.as.seen.filter(({ path }) => path === "/authorize")).toHaveLength(before);
    });
  });

  it("is over for the one who tries codes, and many tries at once are no more than few", async () => {
    const s = await scene();
    await closing(s.gateway, async () => {
      const { link, code } = await s.begin();
      const visitor = new Visitor(s.gateway);
      await visitor.show(link);
      const tries = await Promise.all(
        Array.from({ length: 30 }, (_, i) => visitor.agree(link, `BBBB-BB${"BCDFGHJKLM"[i % 10]}${"NPQ"[i % 3]}`)),
      );
      expect(tries.filter(({ status }) => status === 303)).toEqual([]);
      for (let i = 0; i < 5; i++) await visitor.agree(link, "BBBB-BBBB");
      expect((await visitor.agree(link, code)).status).toBe(404);
    });
  });

  it("is over after ten minutes, before and after somebody agreed", async () => {
    const clock = new FakeClock();
    const s = await scene(undefined, clock);
    await closing(s.gateway, async () => {
      const [first, second] = [await s.begin(), await s.begin()];
      const visitor = new Visitor(s.gateway);
      const back = await agreed((await visitor.agree(first.link, first.code)).headers.get("location")!);
      await clock.advance(600_001);
      expect((await visitor.agree(second.link, second.code)).status).toBe(404);
      expect([(await visitor.comeBack(back)).status, s.redeemed()]).toEqual([400, 0]);
    });
  });

  it("is finished by the browser that agreed, once, whatever others brought before", async () => {
    const s = await scene();
    await closing(s.gateway, async () => {
      const visitor = new Visitor(s.gateway);
      const { link, code } = await s.begin();
      const sent = await visitor.agree(link, code.toLowerCase().replace("-", " "));
      const state = new URL(sent.headers.get("location")!).searchParams.get("state")!;
      expect(link).not.toContain(state);
      const back = await agreed(sent.headers.get("location")!);
      expect((await new Visitor(s.gateway).comeBack(back)).status).toBe(400);
      expect((await visitor.comeBack(back)).status).toBe(200);
      expect((await visitor.comeBack(back)).status).toBe(400);
      expect(s.redeemed()).toBe(1);
    });
  });

  it("needs no code of its own user's browser, which is signed in here", async () => {
    const s = await scene();
    await closing(s.gateway, async () => {
      const { link } = await s.beginAs("victim");
      const visitor = await s.signedIn("victim");
      expect(await (await visitor.show(link)).text()).not.toContain('name="code"');
      expect((await visitor.signIn(link)).status).toBe(200);
    });
  });

  it("says whose it will be, frames nowhere, and lets browsers say where its form comes from", async () => {
    const s = await scene();
    await closing(s.gateway, async () => {
      const { link } = await s.begin();
      const shown = await new Visitor(s.gateway).show(link);
      expect(await shown.text()).toMatch(
        /mallory&#39;s key \(key_[^)]+\) alone will act there in your name.*You come back to localhost\./s,
      );
      const headers = Object.fromEntries(shown.headers);
      // With no-referrer browsers would send the form as a page of nobody's, which is refused.
      expect(headers).toMatchObject({ "x-frame-options": "DENY", "referrer-policy": "same-origin", "cache-control": "no-store" });
      expect(headers["set-cookie"]).toMatch(/^sallyport_consent=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
    });
  });

  it("keeps a __Host- cookie over HTTPS", async () => {
    const s = await scene();
    await closing(s.gateway, async () => {
      const { link, code } = await s.begin();
      const visitor = new Visitor(s.gateway, { host: "gateway.example" });
      const sent = await visitor.agree(link, code);
      expect(sent.headers.getSetCookie()).toEqual([
        expect.stringMatching(
          /^__Host-sallyport_agreed_[0-9a-f]{16}=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/,
        ),
      ]);
    });
  });

  it("is begun by a name of this machine alone where nobody said how browsers reach the gateway", async () => {
    const s = await scene();
    await closing(s.gateway, async () => {
      const refused = await ask(s.gateway, ["POST", START], { body: {}, headers: { host: "gateway.example" } });
      expect(refused.json()["error"]).toMatchObject({ code: "misconfigured", hint: expect.stringContaining("access.publicUrl") as string });
      expect(JSON.stringify(s.as.seen)).not.toContain("gateway.example");
      for (const host of ["127.0.0.1:4747", "[::1]:4747", "localhost:80"])
        expect((await ask(s.gateway, ["POST", START], { body: {}, headers: { host } })).json()["redirect_uri"]).toBe(
          `http://${host}/api/v1/admin/oauth/callback`,
        );
    });
  });
});
