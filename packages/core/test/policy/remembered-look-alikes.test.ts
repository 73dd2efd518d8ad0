import { expect, it, onTestFinished } from "vitest";
import type { Caller, JsonObject } from "../../src/calls/index.js";
import { createTestGateway } from "../../src/testing/index.js";

const ada: Caller = { kind: "user", id: "ada", name: "Ada", projects: ["default"], grants: ["*"], userId: "ada" };
const bob: Caller = { ...ada, id: "bob", name: "Bob", userId: "bob" };

it("a call that names an argument as one of what was remembered but for its case is asked for (T43)", async () => {
  const gateway = await createTestGateway({ approvals: { tools: { demo__echo: { class: "dangerous" } } } });
  onTestFinished(() => gateway.close());
  const call = (args: JsonObject) =>
    gateway.mcp.call("demo__echo", args, { caller: ada }).then(
      () => "passed",
      (error: { code: string }) => error.code,
    );
  expect(await call({ text: "/tmp/a" })).toBe("approval_required");
  const [item] = (await gateway.inbox.list(ada, { limit: 1 })).items;
  const conditions = [
    { path: "text", op: "starts_with" as const, value: "/tmp/" },
    { path: "options.force", op: "absent" as const },
  ];
  await gateway.inbox.approve(bob, item!.row.id, { remember: { conditions } });
  await expect.poll(() => call({ text: "/tmp/b" }), { timeout: 30_000 }).toBe("passed");
  for (const more of [{ Text: "/etc" }, { ｔext: "/etc" }, { options: { Force: true } }, { Options: { force: true } }])
    expect([more, await call({ text: "/tmp/c", ...more })]).toEqual([more, "approval_required"]);
  expect(await call({ text: "/tmp/c", other: "/etc" })).not.toBe("approval_required");
});
