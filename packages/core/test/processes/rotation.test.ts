import { expect, it } from "vitest";
import { dataKey, storedProvider } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";

const secret = Buffer.from("k7Qz1xWv9LmT4pRs8NcB2hJd6FgY3aEu").toString("base64");
const within = () => ({ deadlineMs: Date.now() + 10_000 });
const scope = { system: "test" };

it("gateways on one store write secrets through a rotation: each is of use on all of them within the poll, none is left under the old key", async () => {
  const store = memoryStore();
  const shared = new Proxy(store, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (name === "close") return () => Promise.resolve();
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const storage = { name: "shared", open: () => Promise.resolve(shared) };
  const gateways = await Promise.all([1, 2, 3].map(() => createTestGateway({ storage, secret })));
  try {
    let isDone = false;
    const rotating = gateways[0]!.rotateSecrets().finally(() => (isDone = true));
    let made = 0;
    while (!isDone) {
      for (const gateway of gateways) {
        const body = { name: `lab-${made++}`, vendor: "openai-compatible", base_url: "https://lab.example/v1", api_key: "sk-canary" };
        const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" };
        const answer = await gateway.fetch(
          new Request("http://localhost/api/v1/providers", { method: "POST", headers, body: JSON.stringify(body) }),
        );
        expect(answer.status).toBe(201);
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect((await rotating).left).toBe(0);
    const { rows } = await store.find(storedProvider, { orderBy: "id", limit: 1_000 }, scope, within());
    const keys = (await store.find(dataKey, { orderBy: "id", limit: 10 }, scope, within())).rows;
    const active = keys.find(({ state }) => state === "active")!.id;
    expect(rows.length).toBe(made);
    expect([...new Set(rows.map(({ apiKey }) => apiKey!.split(".")[1]))]).toEqual([active]);
    await expect
      .poll(() => gateways.map((gateway) => gateway.providers.list().filter(({ name }) => name.startsWith("lab-")).length), {
        timeout: 30_000,
      })
      .toEqual([made, made, made]);
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.close({ graceMs: 100 })));
  }
});
