import { afterEach, expect, it } from "vitest";
import { roleBinding, user, webSession } from "../../src/entities/index.js";
import { Gateway } from "../../src/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { insert } from "../../src/ports/index.js";

const ownerKey = "owner-of-removals-4c1d8f0b7a2e96351a2b3c";
const scope = { system: "test" };
const within = () => ({ deadlineMs: Date.now() + 10_000 });

let gateway: Gateway | null = null;
afterEach(() => gateway?.close());

it("a user that is removed takes its sessions and roles along, however many, and nothing that refers to it is written afterwards", async () => {
  const store = memoryStore();
  gateway = new Gateway({ storage: { name: "test", open: async () => store }, ownerKey });
  const ask = (path: string, method: string, body?: object) =>
    (gateway as Gateway).fetch(
      new Request(`http://localhost/api/v1/${path}`, {
        ...{ method, headers: { "content-type": "application/json", authorization: `Bearer ${ownerKey}` } },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  const made = await ask("add/user", "POST", { username: "ada", role: "viewer" });
  const { id } = (await made.json()) as { id: string };
  const session = (n: number) =>
    insert(webSession, {
      ...{
        id: `s${n}`,
        projectId: "default",
        userId: id,
        digest: String(n).padStart(64, "0"),
        by: "password",
        beganAtMs: 1,
        lastSeenAtMs: 1,
      },
      ...{ expiresAtMs: Date.now() + 60_000, revokedAtMs: null, address: null, agent: null },
    });
  const sessions = Array.from({ length: 1_005 }, (_each, n) => ({ scope, writes: [session(n)] }));
  expect((await store.commit(sessions, within())).every(({ ok }) => ok)).toBe(true);

  expect((await ask(`del/user/${id}`, "DELETE")).status).toBeLessThan(300);
  expect(await store.get(user, id, scope, within())).toBeNull();
  for (const entity of [webSession, roleBinding])
    expect(
      (await store.find(entity as typeof webSession, { where: { userId: id }, orderBy: "id", limit: 5 }, scope, within())).rows,
    ).toEqual([]);
  expect(await store.commit([{ scope, writes: [session(2_000)] }], within())).toMatchObject([{ ok: false, why: "missing" }]);
});
