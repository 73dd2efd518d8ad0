import { expect, describe, it } from "vitest";
import type { Caller } from "../calls/index.js";
import { gatewayKey, plainKey, type GatewayKeyRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { memoryStore } from "../memory/index.js";
import { crypto } from "../platform/node.js";
import { insert } from "../ports/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { Log } from "../util/log.js";
import { Access, type AccessSnapshot } from "./access.js";
import type { AuthHook } from "./auth-hook.js";
import { keyDigest } from "./key-digest.js";
import { readKeys } from "./read-keys.js";

const pepperBytes = crypto.sha256(new TextEncoder().encode("pepper of these tests"));
const pepper = () => pepperBytes;
const toDigest = keyDigest(crypto, pepper);
const KEY = "spk_the-key-of-ada-0123456789abcdef";
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };

type Headers = Readonly<Record<string, string>>;

function request(headers: Headers, query = "") {
  return {
    method: "POST",
    path: "/v1/chat/completions",
    query,
    basePath: "",
    remoteAddress: "127.0.0.1",
    signal: new AbortController().signal,
    header: (name: string) => headers[name],
    body: () => Promise.reject(new Error("the body was read before the caller was known")),
  };
}

async function setUp(o: { readonly row?: Partial<GatewayKeyRow>; readonly auth?: AuthHook; readonly trustProxy?: boolean } = {}) {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const row = {
    ...plainKey,
    id: "key_ada",
    name: "Ada",
    kind: "key" as const,
    digest: toDigest(KEY),
    projectId: "p1",
    scopes: ["models:*"],
  };
  await store.commit([{ scope: { system: "test" }, writes: [insert(gatewayKey, { ...row, ...o.row })] }], within);
  const snapshot: { -readonly [K in keyof AccessSnapshot]: AccessSnapshot[K] } = {
    keys: await readKeys(store, within),
    records: { of: () => [] },
    readAtMs: clock.now(),
    config: { access: { maxStaleMs: 10_000 }, server: { trustProxy: o.trustProxy ?? false } },
  };
  const access = new Access(
    { store, clock, crypto, log: new Log("silent", () => undefined) },
    { pepper, snapshot: () => snapshot, ...(o.auth === undefined ? {} : { auth: o.auth }) },
  );
  return { access, clock, store, snapshot };
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return GatewayError.from(error).code;
  }
  return "no error";
}

describe("a gateway key", () => {
  it.each<[string, Headers]>([
    ["Authorization: Bearer", { authorization: `Bearer ${KEY}` }],
    ["a bearer scheme in other letters", { authorization: `bEARER   ${KEY} ` }],
    ["X-API-Key", { "x-api-key": KEY }],
    ["x-goog-api-key", { "x-goog-api-key": KEY }],
    ["api-key", { "api-key": KEY }],
    ["the same key in two headers", { authorization: `Bearer ${KEY}`, "x-api-key": KEY }],
  ])("is read from %s", async (_name, headers) => {
    const { access } = await setUp();
    expect(access.identify(request(headers))).toEqual({
      kind: "key",
      id: "key_ada",
      name: "Ada",
      projects: ["p1"],
      grants: ["models:*"],
      keyId: "key_ada",
    });
  });

  it("gives the same Caller object each time, and one that nobody can change", async () => {
    const { access } = await setUp();
    const first = (await access.identify(request({ "x-api-key": KEY }))) as Caller;
    expect(await access.identify(request({ authorization: `Bearer ${KEY}` }))).toBe(first);
    expect(() => (first.grants as string[]).push("*")).toThrow(TypeError);
  });

  it.each<[string, Headers]>([
    ["no credential at all", {}],
    ["an unknown key", { authorization: `Bearer ${KEY}x` }],
    ["a key cut short", { "x-api-key": KEY.slice(0, -1) }],
    ["an empty key", { "x-api-key": "" }],
    ["a bearer without a key", { authorization: "Bearer " }],
    ["the key without its scheme", { authorization: KEY }],
    ["another scheme", { authorization: `Basic ${btoa(`user:${KEY}`)}` }],
    ["a broken Authorization beside a good key", { authorization: "Basic eDp5", "x-api-key": KEY }],
    ["an unknown key beside a good one", { authorization: `Bearer ${KEY}`, "api-key": "spk_of-somebody-else-0123456789abcd" }],
    ["two values of one header", { authorization: `Bearer ${KEY}, Bearer ${KEY}` }],
    ["the digest of a key", { "x-api-key": toDigest(KEY) }],
    ["a key far longer than any", { "x-api-key": "k".repeat(100_000) }],
  ])("is refused as unauthenticated: %s", async (_name, headers) => {
    const { access } = await setUp();
    expect(await codeOf(() => access.identify(request(headers)))).toBe("unauthenticated");
  });

  it("is looked for in the query only where the dialect has it there", async () => {
    const { access } = await setUp();
    const query = `key=${encodeURIComponent(KEY)}`;
    expect(await codeOf(() => access.identify(request({}, query)))).toBe("unauthenticated");
    expect(access.identify(request({}, query), { keyInQuery: true })).toMatchObject({ id: "key_ada" });
    expect(await codeOf(() => access.identify(request({}, `${query}&key=other`), { keyInQuery: true }))).toBe("unauthenticated");
    expect(await codeOf(() => access.identify(request({ "x-goog-api-key": "other" }, query), { keyInQuery: true }))).toBe(
      "unauthenticated",
    );
  });

  it("is refused when it is disabled, and from the moment it expires", async () => {
    expect(await codeOf(async () => (await setUp({ row: { enabled: false } })).access.identify(request({ "x-api-key": KEY })))).toBe(
      "unauthenticated",
    );
    const { access, clock } = await setUp({ row: { expiresAtMs: new FakeClock().now() + 1_000 } });
    expect(access.identify(request({ "x-api-key": KEY }))).toMatchObject({ id: "key_ada" });
    await clock.advance(1_000);
    expect(await codeOf(() => access.identify(request({ "x-api-key": KEY })))).toBe("unauthenticated");
  });

  it("is refused from the first request after a snapshot without it, however often it was used before", async () => {
    const { access, snapshot } = await setUp();
    for (let i = 0; i < 3; i++) expect(access.identify(request({ "x-api-key": KEY }))).toMatchObject({ id: "key_ada" });
    const keys = snapshot.keys;
    snapshot.keys = new Map();
    expect(await codeOf(() => access.identify(request({ "x-api-key": KEY })))).toBe("unauthenticated");
    snapshot.keys = new Map([...keys].map(([digest, row]) => [digest, { ...row, enabled: false }]));
    expect(await codeOf(() => access.identify(request({ "x-api-key": KEY })))).toBe("unauthenticated");
  });

  it("is refused as store_unavailable when the keys were read too long ago", async () => {
    const { access, clock } = await setUp();
    await clock.advance(10_000);
    expect(access.identify(request({ "x-api-key": KEY }))).toMatchObject({ id: "key_ada" });
    await clock.advance(1);
    expect(await codeOf(() => access.identify(request({ "x-api-key": KEY })))).toBe("store_unavailable");
  });

  it("has its last use written at most once a minute, without moving its version", async () => {
    const { access, clock, store, snapshot } = await setUp();
    const read = async () => (await store.get(gatewayKey, "key_ada", { system: "test" }, within))!;
    const first = clock.now();
    void access.identify(request({ "x-api-key": KEY }));
    await clock.advance(5_000);
    void access.identify(request({ "x-api-key": KEY }));
    expect(await read()).toMatchObject({ lastUsedAtMs: first, version: 1 });
    await clock.advance(60_000);
    snapshot.readAtMs = clock.now();
    void access.identify(request({ "x-api-key": KEY }));
    await clock.advance(0);
    expect(await read()).toMatchObject({ lastUsedAtMs: first + 65_000, version: 1 });
  });
});

describe("the auth hook of a host application", () => {
  const ada: Caller = { kind: "user", id: "u1", name: "Ada", projects: ["p1"], grants: ["models:*"] };

  it("alone says who is calling, from the host's own request", async () => {
    const seen: unknown[] = [];
    const { access } = await setUp({ auth: (r) => (seen.push(r.raw), Promise.resolve(ada)) });
    expect(await access.identify({ ...request({}), raw: { user: "ada" } })).toBe(ada);
    expect(seen).toEqual([{ user: "ada" }]);
  });

  it("is told the address that the nearest proxy saw, only when that proxy is trusted", async () => {
    const seen: unknown[] = [];
    const auth: AuthHook = (r) => (seen.push(r.remoteAddress), ada);
    const forwarded = request({ "x-forwarded-for": "6.6.6.6, 203.0.113.9" });
    await (await setUp({ auth })).access.identify(forwarded);
    await (await setUp({ auth, trustProxy: true })).access.identify(forwarded);
    await (await setUp({ auth, trustProxy: true })).access.identify(request({}));
    expect(seen).toEqual(["127.0.0.1", "203.0.113.9", "127.0.0.1"]);
  });

  it("is not second-guessed: nobody is 401, also with a good key in the request", async () => {
    const { access } = await setUp({ auth: () => null });
    expect(await codeOf(() => access.identify(request({ "x-api-key": KEY })))).toBe("unauthenticated");
  });

  it("cannot let anybody in by mistake", async () => {
    const broken: [unknown, string][] = [
      [undefined, "unauthenticated"],
      [true, "misconfigured"],
      [{}, "misconfigured"],
      [{ ...ada, projects: [] }, "misconfigured"],
      [{ ...ada, grants: "*" }, "misconfigured"],
      [{ ...ada, kind: "anonymous" }, "misconfigured"],
    ];
    for (const [value, code] of broken) {
      const { access } = await setUp({ auth: () => value as Caller });
      expect(await codeOf(() => access.identify(request({ "x-api-key": KEY })))).toBe(code);
    }
    const { access } = await setUp({ auth: () => Promise.reject(new Error("session store is down")) });
    expect(await codeOf(() => access.identify(request({ "x-api-key": KEY })))).toBe("internal");
  });
});
