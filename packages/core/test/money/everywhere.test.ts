import { expect, it, onTestFinished } from "vitest";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";

/** Ada calls in the project that the test names; a budget of nothing refuses whatever it counts. */
async function ada(key: (gateway: Awaited<ReturnType<typeof createTestGateway>>) => Promise<string>) {
  const gateway = await createTestGateway();
  onTestFinished(() => gateway.close());
  gateway.providers.add({
    name: "v",
    models: [{ code: "m", prices: { input: 1, output: 1 } }],
    async *answer() {
      yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
      yield { type: "finish", index: 0, reason: "stop" };
      yield { type: "usage", usage: { inputTokens: 1, outputTokens: 1 } };
    },
  });
  const headers = { authorization: `Bearer ${await key(gateway)}`, "content-type": "application/json" };
  const body = JSON.stringify({ name: "b", scope: "user", scope_id: "u1", amount_usd: "0", period: "day" });
  const made = await gateway.fetch(new Request("http://localhost/api/v1/budgets", { method: "POST", headers, body }));
  expect(made.status).toBe(201);
  const call = async (project: string): Promise<string> => {
    const caller = { kind: "user", id: "u1", userId: "u1", name: "Ada", projects: [project], grants: ["*"] } as const;
    const run = gateway.as(caller as never).run({ model: "v/m", input: "hi" });
    return Promise.resolve(run).then(
      () => "passed",
      (error: { code: string }) => error.code,
    );
  };
  return { row: (await made.json()) as Record<string, unknown>, call };
}

it("a user's budget counts in every project when who wrote it holds budgets everywhere (T04)", async () => {
  const { row, call } = await ada(() => Promise.resolve(TEST_OWNER_KEY));
  expect(row).toMatchObject({ all_projects: true });
  expect([await call("default"), await call("p2")]).toEqual(["budget_exceeded", "budget_exceeded"]);
});

it("and in its own project alone when a project's own people wrote it", async () => {
  const { row, call } = await ada(
    async (gateway) => (await gateway.keys.create({ name: "k", scopes: ["budgets:write"], projectId: "p1" })).key,
  );
  expect(row).toMatchObject({ all_projects: false });
  expect([await call("p1"), await call("default")]).toEqual(["budget_exceeded", "passed"]);
});
