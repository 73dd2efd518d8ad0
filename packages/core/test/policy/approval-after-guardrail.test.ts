import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { auditEntry } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { createTestGateway } from "../../src/testing/index.js";

const ada: Caller = { kind: "user", id: "ada", name: "Ada", projects: ["default"], grants: ["*"], userId: "ada" };
const bob: Caller = { ...ada, id: "bob", name: "Bob", userId: "bob" };
const WORD = "topsecretword";

async function gatewayWith(action: "mask" | "block") {
  const store = memoryStore();
  const gateway = await createTestGateway({
    storage: { open: () => Promise.resolve(store) } as never,
    audit: { parameters: "redacted" },
    approvals: { tools: { demo__echo: { class: "dangerous" } } },
    guardrails: { w: { kind: "words", settings: { words: [WORD] }, action, stages: ["arguments"] } },
  });
  onTestFinished(() => gateway.close());
  const echo = (text: string) =>
    gateway.mcp.call("demo__echo", { text }, { caller: ada }).then(
      (result) => JSON.stringify(result),
      (error: { code: string; details?: { approval_id?: string } }) => error.details?.approval_id ?? error.code,
    );
  const audited = async () => (await store.find(auditEntry, { orderBy: "atMs", limit: 10 }, { system: "test" }, NEVER)).rows;
  return { gateway, echo, audited };
}
const NEVER = { deadlineMs: Number.MAX_SAFE_INTEGER };

describe("a call that a guardrail looks at and a person has to approve", () => {
  it("is masked before anybody is asked: neither the inbox nor the audit of a refused call has the word, and the approved call is the masked one", async () => {
    const { gateway, echo, audited } = await gatewayWith("mask");
    const id = await echo(`say ${WORD}`);
    expect(id).toMatch(/^apr_/);
    const { items } = await gateway.inbox.list(ada, { limit: 10 });
    expect(items.map((item) => (item.kind === "approval" ? (JSON.parse(item.arguments) as unknown) : item.kind))).toEqual([
      { text: "say [removed]" },
    ]);
    await expect.poll(async () => (await audited()).map(({ parameters }) => parameters)).toEqual([{ text: "say [removed]" }]);
    await gateway.inbox.approve(bob, id, {});
    expect(await echo(`say ${WORD}`)).toContain("say [removed]");
  });

  it("asks nobody when the guardrail blocks it", async () => {
    const { gateway, echo } = await gatewayWith("block");
    expect(await echo(WORD)).toBe("content_blocked");
    expect((await gateway.inbox.list(ada, { limit: 10 })).items).toEqual([]);
  });
});
