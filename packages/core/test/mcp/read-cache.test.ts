import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { perUserServer } from "./servers/per-user-server.js";
import { gatewayOfUsers, user } from "./users.js";

// What a server lets be kept of what it gave to be read is served from there, to those that it may be served to, as long as nothing says that it changed.

type Hints = NonNullable<Parameters<typeof perUserServer>[0]>["hints"];

/** A server that all share, and what it was asked to read. */
async function shared(hints: Hints | undefined, options: Parameters<typeof gatewayOfUsers>[2] = {}) {
  const docs = await perUserServer(hints === undefined ? {} : { hints });
  docs.show("all", ["a", "b"]);
  const world = await gatewayOfUsers({}, ["ada", "bob"], {
    ...options,
    shared: { docs: { url: docs.url, auth: { type: "bearer", token: "all" } } },
  });
  const cached: unknown[] = [];
  world.gateway.on("resource.cached", ({ server, result }) => void cached.push(`${server} ${result}`));
  const read = (name: string, uri: string, params: Record<string, unknown> = {}) =>
    world.client(name).rpc("resources/read", { uri: `sallyport:docs/${uri}`, ...params });
  await world.gateway.mcp.start();
  return { ...world, docs, read, cached, reads: () => docs.of("all").read };
}
const text = (said: { readonly result?: Readonly<Record<string, unknown>> }) => (said.result!["contents"] as { text: string }[])[0]!.text;

describe("a resource", () => {
  it("that its server lets be kept is read once by one caller, and again by another when it is not public", async () => {
    const { read, reads, cached } = await shared({ ttlMs: 600_000, cacheScope: "private" });
    const first = await read("ada", "note:a");
    const again = await read("ada", "note:a");
    expect(text(again)).toBe(text(first));
    expect(first.result!["ttlMs"]).toBe(600_000);
    expect(again.result!["ttlMs"]).toBeGreaterThan(0);
    expect(again.result!["ttlMs"]).toBeLessThanOrEqual(600_000);
    expect(again.result).toMatchObject({ resultType: "complete", cacheScope: "private", contents: [{ uri: "sallyport:docs/note:a" }] });
    expect(reads()).toEqual(["note:a"]);
    await read("bob", "note:a");
    expect(reads()).toEqual(["note:a", "note:a"]);
    expect(cached).toEqual(["docs kept", "docs hit", "docs kept"]);
  });

  it("that is public is read once for all who share the connection, of either revision", async () => {
    const { read, reads, client } = await shared({ ttlMs: 600_000, cacheScope: "public" });
    await read("ada", "note:a");
    await read("bob", "note:a");
    const old = await (await client("bob").open()).rpc("resources/read", { uri: "sallyport:docs/note:a" });
    expect(old.result).toMatchObject({ contents: [{ uri: "sallyport:docs/note:a", text: "a,b 1" }] });
    expect(old.result).not.toHaveProperty("resultType");
    expect(reads()).toEqual(["note:a"]);
  });

  it.each([undefined, { ttlMs: 0, cacheScope: "public" }, { ttlMs: -1, cacheScope: "public" }] as const)(
    "is read each time when its server says %j of it",
    async (hints) => {
      const { read, reads, cached } = await shared(hints);
      for (let i = 0; i < 2; i++) await read("ada", "note:a");
      expect([reads(), cached]).toEqual([["note:a", "note:a"], []]);
    },
  );

  it("is asked for anew with answers to questions, and with what the server might heed, and nothing of that is kept", async () => {
    const { read, reads } = await shared({ ttlMs: 600_000, cacheScope: "public" });
    for (let i = 0; i < 2; i++) {
      await read("ada", "note:a", { inputResponses: {} });
      await read("ada", "note:a", { _meta: { "example.com/language": "de" } });
    }
    expect(reads().length).toBe(4);
    await read("ada", "note:a", { _meta: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } });
    await read("ada", "note:a");
    expect(reads().length).toBe(5);
  });

  it("that changed is read again: by its own update, by one of what contains it, and by a change of the list", async () => {
    const { read, reads, docs, client } = await shared({ ttlMs: 600_000, cacheScope: "public" });
    const ada = await client("ada").open();
    await ada.rpc("resources/subscribe", { uri: "sallyport:docs/note:a" });
    await expect.poll(() => docs.of("all").watched.size).toBe(1);
    const readBoth = async () => {
      for (const uri of ["note:a", "note:a", "note:b"]) await read("ada", uri);
      return reads().length;
    };
    expect(await readBoth()).toBe(2);
    const heard = () => ada.heard.length;
    for (const [say, more] of [
      [() => docs.updated("all", "note:a", "one"), 1],
      [() => docs.updated("all", "note:a/part", "a part"), 1],
      [() => docs.updated("all", "note:", "the whole"), 2],
      [() => docs.changed("all"), 2],
    ] as const) {
      const before = reads().length;
      say();
      // Reading again finds it sooner or later, and then exactly what changed.
      await expect.poll(async () => (await readBoth()) - before, { timeout: 20_000 }).toBe(more);
    }
    expect(heard()).toBeGreaterThan(0);
  });

  it("passes guardrails each time that it is read", async () => {
    const guardrails = { w: { kind: "words" as const, settings: { words: ["secretword"] }, action: "mask" as const } };
    const { read, reads, docs, gateway } = await shared({ ttlMs: 600_000, cacheScope: "public" }, { guardrails });
    docs.show("all", ["secretword"]);
    let found = 0;
    gateway.on("guardrail.detected", () => void found++);
    const masked = await read("ada", "note:a");
    expect([JSON.stringify(masked).includes("secretword"), masked.result!["contents"]]).toEqual([false, expect.anything()]);
    expect((await read("ada", "note:a")).result!["contents"]).toEqual(masked.result!["contents"]);
    expect([reads(), found]).toEqual([["note:a"], 2]);
  });

  it("is served to nobody who may not read it, and is a call as any other", async () => {
    const { read, gateway, reads } = await shared({ ttlMs: 600_000, cacheScope: "public" });
    const calls: unknown[] = [];
    gateway.on("call.finished", ({ kind, name, status }) => void calls.push([kind, name, status]));
    await read("ada", "note:a");
    await read("bob", "note:a");
    await expect
      .poll(() => calls)
      .toEqual([
        ["tool", "docs__note:a", 200],
        ["tool", "docs__note:a", 200],
      ]);
    expect(reads()).toEqual(["note:a"]);
    const denied = user("bob", { grants: ["mcp:other__*"] });
    const bytes = new TextEncoder().encode(
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri: "sallyport:docs/note:a" } }),
    );
    const headers: Record<string, string> = { "content-type": "application/json", accept: "application/json" };
    const request = { method: "POST", header: (name: string) => headers[name], bytes, namespace: null };
    const call = { caller: denied, requestId: "req_1", signal: new AbortController().signal, deadlineMs: Date.now() + 30_000, depth: 0 };
    const { body } = await gateway.mcp.serve(request, call);
    expect(new TextDecoder().decode((body as { bytes: Uint8Array }).bytes)).toContain('"forbidden"');
  });
});

describe("resources of a server that each caller signs in at", () => {
  const names = ["ada", "bob"] as const;

  it("are never served to another, in whatever order they are read (T16)", async () => {
    const mail = await perUserServer({ hints: { ttlMs: 600_000, cacheScope: "public" } });
    const { client, signIn, gateway } = await gatewayOfUsers({ mail: mail.url }, names);
    let round = 0;
    let hits = 0;
    gateway.on("resource.cached", ({ result }) => void (hits += result === "hit" ? 1 : 0));
    const step = fc.record({
      who: fc.constantFrom(...names),
      what: fc.constantFrom("read", "read", "read", "signOut", "signIn", "update"),
    });
    const ada = { who: "ada", what: "read" } as const;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        round++;
        const isIn = new Map<string, boolean>();
        for (const name of names) {
          mail.show(`token-${name}`, [`canary_${name}_${round}`]);
          // Another sign-in than that of the round before: what was kept for it is gone.
          await gateway.mcp.oauth.remove("mail", { principal: `user_${name}` });
          expect(JSON.stringify(await client(name).rpc("resources/read", { uri: "sallyport:mail/note:x" }))).not.toContain("canary");
          await signIn(name, `token-${name}`);
          isIn.set(name, true);
        }
        for (const { who, what } of steps) {
          if (what === "update") mail.updated(`token-${who}`, "note:x", "again");
          if (what === "signIn") await signIn(who, `token-${who}`).then(() => isIn.set(who, true));
          if (what === "signOut") await gateway.mcp.oauth.remove("mail", { principal: `user_${who}` }).then(() => isIn.set(who, false));
          if (what !== "read") continue;
          const said = JSON.stringify(await client(who).rpc("resources/read", { uri: "sallyport:mail/note:x" }));
          if (isIn.get(who)!) expect(said).toContain(`canary_${who}_${round}`);
          else expect(said).not.toContain("canary");
        }
      }),
      { numRuns: 20, examples: [[[ada, ada]]] },
    );
    expect(hits).toBeGreaterThan(0);
  });
});
