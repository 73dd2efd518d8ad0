import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../src/memory/index.js";
import { clock, crypto } from "../../src/platform/node.js";
import { perUserServer } from "./servers/per-user-server.js";
import { gatewayOfUsers } from "./users.js";

// A server that each caller signs in at shows each caller its own: nobody learns what only another's sign-in shows (T16).

async function adaAndBob(o: Parameters<typeof gatewayOfUsers>[2] = {}, server?: Awaited<ReturnType<typeof perUserServer>>) {
  const mail = server ?? (await perUserServer());
  const world = await gatewayOfUsers({ mail: mail.url }, ["ada", "bob", "eve"], o);
  mail.show("token-ada", ["both", "of_ada"]);
  mail.show("token-bob", ["both", "of_bob"]);
  await world.signIn("ada", "token-ada");
  await world.signIn("bob", "token-bob");
  return { mail, ...world };
}

/** A server that all share, in one namespace with that of each. */
async function besideADesk() {
  const desk = await perUserServer();
  desk.show("desk", ["both", "of_desk"]);
  const namespaces = { all: { servers: ["desk", "mail"], naming: "none" as const, conflicts: "prefix" as const } };
  return { namespaces, shared: { desk: { url: desk.url, auth: { type: "bearer" as const, token: "desk" } } } };
}

describe("what a server shows one caller", () => {
  it("is listed to that caller alone, and to nobody who has not signed in", async () => {
    const { client, gateway, callerOf } = await adaAndBob();
    for (const [name, own] of [
      ["ada", ["both", "of_ada"]],
      ["bob", ["both", "of_bob"]],
      ["eve", []],
    ] as const) {
      expect(await client(name).list()).toEqual(own.map((tool) => `mail__${tool}`));
      expect(await client(name).list("prompts")).toEqual(own.map((prompt) => `mail__${prompt}`));
      expect(await client(name).list("resources")).toEqual(own.map((uri) => `sallyport:mail/note:${uri}`));
      expect((await gateway.mcp.tools(undefined, { caller: callerOf(name) })).map(({ tool }) => tool)).toEqual(own);
    }
  });

  it("is called by that caller alone: to others there is no such tool, and their own sign-in is asked", async () => {
    const { client, mail } = await adaAndBob();
    const call = (name: string, tool: string) => client(name).rpc("tools/call", { name: `mail__${tool}`, arguments: {} });
    expect(await call("ada", "of_ada")).toMatchObject({ result: { content: [{ text: "of_ada of both,of_ada" }] } });
    expect(await call("bob", "of_ada")).toMatchObject({ error: { data: { code: "tool_not_found" } } });
    expect(await call("eve", "of_ada")).toMatchObject({ error: { data: { code: "authorization_required" } } });
    expect([mail.of("token-ada").called, mail.of("token-bob").called]).toEqual([["of_ada"], []]);
  });

  it("is found by that caller alone, and counted for an operator without being named", async () => {
    const { client, gateway, callerOf } = await adaAndBob();
    for (const name of ["ada", "bob"]) await client(name).list();
    const found = async (name: string) =>
      (await gateway.mcp.administration().search("about of", { caller: callerOf(name), limit: 10 })).map(({ tool }) => tool.tool).sort();
    expect([await found("ada"), await found("bob"), await found("eve")]).toEqual([["both", "of_ada"], ["both", "of_bob"], []]);
    expect(gateway.mcp.status().find(({ name }) => name === "mail")).toMatchObject({ connected: true, tools: 3 });
    const facts = await gateway.mcp.administration().list();
    expect(JSON.stringify(facts)).not.toContain("of_");
  });

  it("is gone with the sign-in, and another account's is shown in its place", async () => {
    const { client, signIn, gateway, mail } = await adaAndBob();
    expect(await client("ada").list()).toEqual(["mail__both", "mail__of_ada"]);
    await gateway.mcp.oauth.remove("mail", { principal: "user_ada" });
    expect(await client("ada").list()).toEqual([]);
    mail.show("token-work", ["of_work"]);
    await signIn("ada", "token-work");
    expect(await client("ada").list()).toEqual(["mail__of_work"]);
    expect(await client("bob").list()).toEqual(["mail__both", "mail__of_bob"]);
  });

  it("that is the same for two is read for each, and read once however often it is asked for", async () => {
    const { client, mail } = await adaAndBob();
    mail.show("token-bob", ["both", "of_ada"]);
    for (const name of ["ada", "bob", "ada", "bob"]) expect(await client(name).list()).toEqual(["mail__both", "mail__of_ada"]);
    expect([mail.count("token-ada", "tools/list"), mail.count("token-bob", "tools/list")]).toEqual([1, 1]);
  });

  it("may be kept by its caller alone, as long as its own reading says", async () => {
    const server = await perUserServer({ hints: { ttlMs: 600_000, cacheScope: "private" } });
    const { client } = await adaAndBob({}, server);
    for (const name of ["ada", "bob"]) {
      const { result } = await client(name).rpc("tools/list");
      expect(result).toMatchObject({ cacheScope: "private" });
      expect(result!["ttlMs"]).toBeGreaterThan(0);
    }
    expect((await client("eve").rpc("tools/list")).result).toMatchObject({ tools: [], ttlMs: 0, cacheScope: "private" });
  });
});

describe("what a server itself calls public", () => {
  it("is shown before the sign-in as well, unless it differs between two", async () => {
    const server = await perUserServer({ hints: { ttlMs: 600_000, cacheScope: "public" } });
    const { client } = await adaAndBob({}, server);
    server.show("token-bob", ["both", "of_ada"]);
    expect(await client("eve").list()).toEqual([]);
    await client("ada").list();
    expect(await client("eve").list()).toEqual(["mail__both", "mail__of_ada"]);
    server.show("token-bob", ["both", "of_bob"]);
    await client("bob").list();
    expect(await client("eve").list()).toEqual([]);
    expect(await client("bob").list()).toEqual(["mail__both", "mail__of_bob"]);
  });
});

describe("what is said unasked", () => {
  it("of lists reaches those whose lists they are", async () => {
    const { client, mail } = await adaAndBob();
    const ada = await client("ada").open();
    const bob = await client("bob").open();
    const eve = await client("eve").open();
    for (const one of [ada, bob, eve]) await one.list();
    await expect.poll(() => [...mail.of("token-ada").streams, ...mail.of("token-bob").streams].length).toBe(2);
    // What was read for the first time is told as well.
    await expect.poll(() => [new Set(ada.methods()).size, new Set(bob.methods()).size], { timeout: 20_000 }).toEqual([3, 3]);
    const before = bob.heard.length;
    mail.show("token-ada", ["more_of_ada"]);
    mail.changed("token-ada");
    await expect.poll(() => ada.list(), { timeout: 20_000 }).toEqual(["mail__more_of_ada"]);
    await expect.poll(() => ada.methods().filter((method) => method === "notifications/tools/list_changed").length).toBeGreaterThan(1);
    // What is told to both, told after it, comes after it.
    const { heard } = bob;
    const between = heard.length;
    mail.show("token-bob", ["more_of_bob"]);
    mail.changed("token-bob");
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThan(between);
    expect(between).toBe(before);
    expect(eve.heard).toEqual([]);
  });

  it("of a resource that both watch reaches whose connection said it", async () => {
    const { client, mail } = await adaAndBob();
    const ada = await client("ada").open();
    const bob = await client("bob").open();
    const uri = "sallyport:mail/note:both";
    for (const one of [ada, bob]) expect(await one.rpc("resources/subscribe", { uri })).toMatchObject({ result: {} });
    await expect.poll(() => [...mail.of("token-ada").streams, ...mail.of("token-bob").streams].length).toBe(2);
    const marks = (one: typeof ada) =>
      one.heard.flatMap(({ method, params }) => (method === "notifications/resources/updated" ? [params!["_meta"]] : []));
    mail.updated("token-ada", "note:both", "first of ada");
    await expect.poll(() => marks(ada)).toEqual([{ mark: "first of ada" }]);
    mail.updated("token-bob", "note:both", "of bob");
    await expect.poll(() => marks(bob)).toContainEqual({ mark: "of bob" });
    mail.updated("token-ada", "note:both", "last of ada");
    await expect.poll(() => marks(ada)).toContainEqual({ mark: "last of ada" });
    expect(marks(ada)).toEqual([{ mark: "first of ada" }, { mark: "last of ada" }]);
    expect(marks(bob)).toEqual([{ mark: "of bob" }]);
    await ada.rpc("resources/unsubscribe", { uri });
    await expect.poll(() => [mail.of("token-ada").watched.size, mail.of("token-bob").watched.size]).toEqual([0, 1]);
  });

  it("is told when somebody has signed in: what is there for them is listed then", async () => {
    const { client, signIn, mail } = await adaAndBob();
    const eve = await client("eve").open();
    const bob = await client("bob").open();
    expect(await eve.list()).toEqual([]);
    mail.show("token-eve", ["of_eve"]);
    await signIn("eve", "token-eve");
    await expect.poll(() => new Set(eve.methods())).toContain("notifications/tools/list_changed");
    expect(await eve.list()).toEqual(["mail__of_eve"]);
    expect(bob.heard).toEqual([]);
  });
});

describe("what another process hears", () => {
  it("of one caller's lists and resources reaches that caller's clients here, and nobody else's", async () => {
    const store = memoryStore({ clock });
    const storage = { name: "shared", open: () => Promise.resolve(store) };
    const mail = await perUserServer();
    const secret = Buffer.from(crypto.random(32)).toString("base64");
    const here = await adaAndBob({ storage, secret }, mail);
    const there = await gatewayOfUsers({ mail: mail.url }, ["ada", "bob"], { storage, secret });
    const uri = "sallyport:mail/note:both";
    const [ada, bob] = [await here.client("ada").open(), await here.client("bob").open()];
    // Each is connected by one process: ada by the other alone.
    expect(await there.client("ada").list()).toEqual(["mail__both", "mail__of_ada"]);
    expect(await bob.rpc("resources/subscribe", { uri })).toMatchObject({ result: {} });
    const lists = (one: typeof ada) => one.methods().filter((method) => method === "notifications/tools/list_changed").length;
    await expect.poll(() => mail.of("token-ada").streams.size).toBe(1);
    // Of his own, as they were read for the first time.
    await expect.poll(() => lists(bob), { timeout: 30_000 }).toBe(1);
    const before = lists(ada);
    // Processes hear of each other after a while, and of what was said from then on.
    let changes = 0;
    const change = () => {
      mail.show("token-ada", [`later_of_ada_${++changes}`]);
      mail.changed("token-ada");
      return lists(ada);
    };
    await expect.poll(change, { timeout: 60_000, interval: 500 }).toBeGreaterThan(before);
    mail.updated("token-bob", "note:both", "of bob");
    await expect.poll(() => bob.methods(), { timeout: 30_000 }).toContain("notifications/resources/updated");
    expect(lists(bob)).toBe(1);
    expect(await ada.list()).toEqual([`mail__later_of_ada_${changes}`]);
  });
});

describe("names", () => {
  it("in a namespace of several servers follow from what their caller is shown", async () => {
    const { client } = await adaAndBob(await besideADesk());
    const shown = { ada: ["desk__both", "of_desk", "mail__both", "of_ada"], bob: ["desk__both", "of_desk", "mail__both", "of_bob"] };
    for (const [name, names] of Object.entries(shown)) {
      const mine = client(name, "/ns/all/mcp");
      expect(await mine.list()).toEqual(names);
      const called = await mine.rpc("tools/call", { name: `of_${name}`, arguments: {} });
      expect(called).toMatchObject({ result: { content: [{ text: `of_${name} of both,of_${name}` }] } });
    }
    // Whoever is shown nothing there can't say either which names it has: those of the others stay whole.
    const eve = client("eve", "/ns/all/mcp");
    expect(await eve.list()).toEqual(["desk__both", "desk__of_desk"]);
    expect(await eve.rpc("tools/call", { name: "of_ada", arguments: {} })).toMatchObject({ error: { data: { code: "tool_not_found" } } });
  });

  it("of one's own are known before they were listed", async () => {
    const { client } = await adaAndBob(await besideADesk());
    const called = await client("ada", "/ns/all/mcp").rpc("tools/call", { name: "of_ada", arguments: {} });
    expect(called).toMatchObject({ result: { content: [{ text: "of_ada of both,of_ada" }] } });
  });

  it("that are pinned wait for a person when another's sign-in shows more, and go on waiting whoever is listed next", async () => {
    const { client, gateway, callerOf } = await adaAndBob({ mcp: { pin: "quarantine" } });
    expect(await client("ada").list()).toEqual(["mail__both", "mail__of_ada"]);
    expect(await client("bob").list()).toEqual(["mail__both"]);
    const asAda = {
      caller: callerOf("ada"),
      requestId: "req_1",
      signal: new AbortController().signal,
      deadlineMs: Date.now() + 30_000,
      depth: 0,
    };
    await gateway.mcp.administration().refresh("mail", asAda);
    const { rows } = await gateway.mcp.toolPins().list({ server: "mail", limit: 10 });
    expect(rows.map(({ tool, status }) => [tool, status]).sort()).toEqual([
      ["both", "approved"],
      ["of_ada", "approved"],
      ["of_bob", "new"],
    ]);
  });
});

describe("whatever order things happen in", () => {
  const names = ["ada", "bob", "eve"] as const;
  const step = fc.record({
    who: fc.constantFrom(...names),
    what: fc.constantFrom("list", "call", "callOther", "read", "signIn", "signOut", "change", "search"),
    other: fc.constantFrom(...names),
  });

  it("nothing of one arrives at another (T16)", async () => {
    const server = await perUserServer();
    const { client, gateway, signIn, callerOf } = await gatewayOfUsers({ mail: server.url }, names);
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const canary = (name: string) => `canary_${name}_${round}`;
        round++;
        const isIn = new Map<string, boolean>(names.map((name) => [name, false]));
        for (const name of names) {
          await gateway.mcp.oauth.remove("mail", { principal: `user_${name}` });
          server.show(`token-${name}`, ["both", canary(name)]);
        }
        for (const { who, what, other } of steps) {
          let heard: unknown = null;
          if (what === "list") heard = await client(who).rpc("tools/list");
          if (what === "call") heard = await client(who).rpc("tools/call", { name: `mail__${canary(who)}`, arguments: {} });
          if (what === "callOther") heard = await client(who).rpc("tools/call", { name: "mail__both", arguments: {} });
          if (what === "read") heard = await client(who).rpc("resources/read", { uri: `sallyport:mail/note:both` });
          if (what === "search") heard = await gateway.mcp.administration().search("canary both", { caller: callerOf(who), limit: 9 });
          if (what === "change") server.show(`token-${who}`, ["both", canary(who), `${canary(who)}_${other}s`]);
          if (what === "signIn") await signIn(who, `token-${who}`).then(() => isIn.set(who, true));
          if (what === "signOut") await gateway.mcp.oauth.remove("mail", { principal: `user_${who}` }).then(() => isIn.set(who, false));
          const told = JSON.stringify(heard);
          for (const name of names) if (name !== who) expect(told).not.toContain(`canary_${name}`);
          if (!isIn.get(who)! && heard !== null && what !== "call") expect(told).not.toContain("canary");
          if (isIn.get(who)! && what === "list") expect(told).toContain(canary(who));
        }
      }),
      { numRuns: 25 },
    );
  });
});
