import { describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import type { Gateway } from "../../src/gateway.js";
import type { GatewayError } from "../../src/errors/index.js";
import { FakeClock, script } from "../../src/testing/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { oauthToken } from "../../src/entities/index.js";
import { insert } from "../../src/ports/index.js";
import { ask, world, type World } from "../mcp/oauth/harness.js";

// A server that each caller signs in at: who has not is asked in the inbox, once, and alone.

const callers: Readonly<Record<string, Caller>> = Object.fromEntries(
  ["ada", "bob"].map((name) => [
    name,
    { kind: "user", id: `user_${name}`, userId: `user_${name}`, name, projects: ["default"], grants: ["mcp:*", "models:*", "inbox:*"] },
  ]),
);
const ada = callers["ada"]!;
const bob = callers["bob"]!;
const scope = { system: "test" };
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const as = (name: string) => ({ authorization: "", "x-test-caller": name });

async function perUser({ as: server, gateway }: World, options: GatewayOptions = {}): Promise<Gateway> {
  return gateway(
    { issuer: server.issuer, credentials: "perUser", clientId: "me" },
    {
      auth: (request) => callers[request.header("x-test-caller") ?? ""] ?? null,
      access: { publicUrl: "https://gateway.example" },
      network: { allowPrivate: true },
      ...options,
    },
  );
}
const whoami = (gateway: Gateway, caller: Caller) => gateway.mcp.call("web__whoami", {}, { caller });
async function needed(gateway: Gateway, caller: Caller): Promise<string> {
  const error = (await whoami(gateway, caller).catch((thrown: unknown) => thrown)) as GatewayError;
  expect(error.code).toBe("authorization_required");
  return String(error.details?.["inbox_id"]);
}

/** A token of the authorization server's, as a browser would bring one. */
async function token({ as: { issuer }, server }: World): Promise<string> {
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id: "me", resource: server.url });
  const response = await fetch(`${issuer}/token`, { method: "POST", body });
  return ((await response.json()) as { access_token: string }).access_token;
}
async function signIn(gateway: Gateway, w: World, caller: Caller): Promise<void> {
  await gateway.mcp.oauth.ingest("web", { accessToken: await token(w) }, { principal: gateway.mcp.oauth.principalOf(caller) });
}

describe("a caller that has to sign in", () => {
  it("is asked once for a server however often it calls, sees where alone, and the item closes when the sign-in stands", async () => {
    const w = await world();
    const gateway = await perUser(w);
    const heard: string[] = [];
    gateway.on("sign_in.requested", ({ server }) => void heard.push(`requested ${server}`));
    gateway.on("sign_in.ended", ({ status }) => void heard.push(status));
    const id = await needed(gateway, ada);
    const again = await Promise.all(Array.from({ length: 5 }, () => needed(gateway, ada)));
    expect(new Set([id, ...again]).size).toBe(1);

    const listed = await ask(gateway, ["GET", "/api/v1/inbox?kind=sign_in&status=pending"], { headers: as("ada") });
    expect(listed.json()).toMatchObject({ data: [{ id, kind: "sign_in", server: "web", status: "pending", url: null }], pending: 1 });
    const shown = await ask(gateway, ["GET", `/api/v1/inbox/${id}`], { headers: as("ada") });
    expect(shown.json()["url"]).toMatch(/^https:\/\/gateway\.example\/api\/v1\/oauth\/sign-in\//);

    expect((await ask(gateway, ["GET", `/api/v1/inbox/${id}`], { headers: as("bob") })).status).toBe(404);
    expect((await ask(gateway, ["POST", `/api/v1/inbox/${id}/deny`], { headers: as("bob"), body: {} })).status).toBe(404);
    expect(await gateway.inbox.pending(bob)).toBe(0);
    const bobs = await needed(gateway, bob);
    expect(bobs).not.toBe(id);
    const approved = await ask(gateway, ["POST", `/api/v1/inbox/${id}/approve`], { headers: as("ada"), body: {} });
    expect(approved.status).toBe(409);

    await signIn(gateway, w, ada);
    await expect.poll(async () => (await gateway.inbox.get(ada, id))?.row.status).toBe("approved");
    expect((await whoami(gateway, ada)).isError).toBe(false);
    expect((await gateway.inbox.get(bob, bobs))?.row.status).toBe("pending");
    expect(heard).toEqual(["requested web", "requested web", "approved"]);
  });

  it("keeps nothing of where it signs in", async () => {
    const clock = new FakeClock(Date.now());
    const store = memoryStore({ clock });
    const w = await world();
    const gateway = await perUser(w, { storage: { name: "kept", open: () => Promise.resolve(store) } });
    const id = await needed(gateway, ada);
    const item = await gateway.inbox.get(ada, id);
    const url = item?.kind === "sign_in" ? item.url : null;
    expect(url).not.toBeNull();
    const { row } = item!;
    expect(JSON.stringify(row)).not.toContain(new URL(url!).pathname.split("/").at(-1)!);
  });

  it("may say no, and is asked anew with the next call; what nobody does anything about is over in the end", async () => {
    const clock = new FakeClock(Date.now());
    const w = await world();
    const gateway = await perUser(w, { clock, mcp: { signIns: { expiresMs: 60_000 } } });
    const id = await needed(gateway, ada);
    await gateway.inbox.deny(ada, id, {});
    const second = await needed(gateway, ada);
    expect(second).not.toBe(id);
    await clock.advance(60_000);
    await expect.poll(async () => (await gateway.inbox.get(ada, second))?.row.status).toBe("expired");
    await expect(gateway.inbox.deny(ada, second, {})).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("a run of a caller that has to sign in", () => {
  const wants = () => script([{ tool: "web__whoami", args: {} }], "done");

  it("waits for that, however many there are, and goes on when it is done", async () => {
    const w = await world();
    const gateway = await perUser(w, {
      model: script([{ tool: "web__whoami", args: {} }], [{ tool: "web__whoami", args: {} }], "done", "done"),
    } as never);
    const runs = [1, 2].map(() => gateway.as(ada).run({ model: "test/script", input: "go", tools: ["web__*"] }));
    for (const run of runs) await expect.poll(async () => (await gateway.runs.get(run.id))?.status).toBe("waiting");
    const { items } = await gateway.inbox.list(ada, { limit: 10 });
    expect(items.map(({ row }) => [row.kind, row.status])).toEqual([["sign_in", "pending"]]);
    const made: boolean[] = [];
    await signIn(gateway, w, ada);
    for (const run of runs) expect((await run).text).toBe("done");
    for await (const event of gateway.runs.open(runs[0]!.id)) if (event.type === "tool.finished") made.push(event.isError);
    expect(made).toEqual([false]);
  });

  it("fails when its user does not want to", async () => {
    const w = await world();
    const gateway = await perUser(w, { model: wants() } as never);
    const run = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["web__*"] });
    await expect.poll(async () => (await gateway.runs.get(run.id))?.status).toBe("waiting");
    const [item] = (await gateway.inbox.list(ada, { limit: 1 })).items;
    await gateway.inbox.deny(ada, item!.row.id, { note: "not today" });
    await expect(run).rejects.toMatchObject({ code: "authorization_required" });
  });

  it("whose sign-in the server does not take any more in the middle waits with that call, and is told when its user does not want to", async () => {
    const w = await world();
    const gateway = await perUser(w, { model: wants() } as never);
    await signIn(gateway, w, ada);
    await whoami(gateway, ada);
    w.server.scope = "more";
    const run = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["web__*"] });
    await expect.poll(async () => (await gateway.runs.get(run.id))?.status).toBe("waiting");
    const [item] = (await gateway.inbox.list(ada, { limit: 1 })).items;
    await gateway.inbox.deny(ada, item!.row.id, { note: "not today" });
    expect((await run).text).toBe("done");
    const said: unknown[] = [];
    for await (const event of gateway.runs.open(run.id)) {
      if (event.type === "tool.waiting") said.push([event.itemId, event.waitsFor]);
      if (event.type === "tool.finished") said.push(event.text);
    }
    expect(said).toEqual([[item!.row.id, "sign_in"], "Not called: a person denied it, and said: not today"]);
  });

  it("fails with the error where the configuration says so", async () => {
    const w = await world();
    const gateway = await perUser(w, { model: wants(), mcp: { signIns: { inRuns: "fail" } } } as never);
    const run = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["web__*"] });
    await expect(run).rejects.toMatchObject({ code: "authorization_required" });
    expect(await gateway.inbox.pending(ada)).toBe(1);
  });

  it("goes on although the process that took the sign-in ended right after", async () => {
    const clock = new FakeClock(Date.now());
    const store = memoryStore({ clock });
    const storage = { name: "shared", open: () => Promise.resolve(store) };
    const w = await world();
    const gateway = await perUser(w, { model: wants(), clock, storage } as never);
    await signIn(gateway, w, ada);
    const query = { where: { server: "web", principal: "user_ada" }, orderBy: "id" as const, limit: 1 };
    const [row] = (await store.find(oauthToken, query, scope, within)).rows;
    await gateway.mcp.oauth.remove("web", { principal: "user_ada" });
    const run = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["web__*"] });
    await expect.poll(async () => (await gateway.runs.get(run.id))?.status).toBe("waiting");
    // What another process would have written, had it ended right after.
    const { version: _version, createdAtMs: _created, updatedAtMs: _updated, ...same } = row!;
    await store.commit([{ scope, writes: [insert(oauthToken, { ...same, authenticatedAtMs: clock.now() })] }], within);
    await clock.advance(10_000);
    expect((await run).text).toBe("done");
  });
});
