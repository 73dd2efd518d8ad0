import { afterEach, describe, expect, it } from "vitest";
import { script } from "../../src/testing/index.js";
import { callerOf, codeOf, restGateway, type RestGateway } from "../resources/harness.js";
import type { TestGatewayOptions } from "../../src/testing/index.js";
import type { Caller } from "../../src/calls/index.js";

const ada = callerOf("ada");
const open: RestGateway[] = [];
afterEach(async () => {
  for (const { gateway } of open.splice(0)) await gateway.close({ graceMs: 0 });
});
async function served(options: TestGatewayOptions = {}, callers: readonly Caller[] = [ada]): Promise<RestGateway> {
  const made = await restGateway(callers, options);
  open.push(made);
  return made;
}
const user = (text: string) => ({ role: "user", content: text });

describe("sessions over REST", () => {
  it("are made, read, changed, appended to, branched, exported and deleted", async () => {
    const { call } = await served({ model: script() });
    const made = await call("POST", "/api/v1/sessions", {
      body: { title: "Trip", model: "test/script", user_id: "u1", mcp: { tools: ["files__*"] }, messages: [user("one"), user("two")] },
    });
    expect(made).toMatchObject({ status: 201, body: { title: "Trip", provider: "test", message_count: 2, last_seq: 2, user_id: "u1" } });
    const id = made.body["id"] as string;
    expect((await call("PATCH", `/api/v1/sessions/${id}`, { body: { title: "Journey", pinned: [1] } })).body).toMatchObject({
      title: "Journey",
      pinned: [1],
      version: 2,
    });
    expect(codeOf(await call("PATCH", `/api/v1/sessions/${id}?if_version=1`, { body: { title: "No" } }))).toBe("conflict");
    const tagged = (tag: string) => call("PATCH", `/api/v1/sessions/${id}`, { body: { title: "Journey" }, headers: { "if-match": tag } });
    expect(await tagged('"1"')).toMatchObject({ status: 412, body: { error: { code: "precondition_failed", details: { version: 2 } } } });
    expect((await tagged('"2"')).status).toBe(200);
    expect((await call("POST", `/api/v1/sessions/${id}/messages`, { body: { messages: [user("three")], if_last: 2 } })).body).toEqual({
      first_seq: 3,
      last_seq: 3,
    });
    expect(codeOf(await call("POST", `/api/v1/sessions/${id}/messages`, { body: { messages: [user("late")], if_last: 2 } }))).toBe(
      "conflict",
    );
    expect((await call("GET", `/api/v1/sessions/${id}/messages?limit=2`)).body).toMatchObject({
      data: [{ seq: 1 }, { seq: 2 }],
      next_after: 2,
    });
    const branch = await call("POST", `/api/v1/sessions/${id}/branch`, { body: { at_seq: 2 } });
    expect(branch).toMatchObject({ status: 201, body: { parent_id: id, branch_seq: 2, message_count: 2, title: "Journey" } });
    const file = await call("GET", `/api/v1/sessions/${id}/export`);
    expect(JSON.parse(file.text)).toMatchObject({
      format: "sallyport-session",
      session: { id },
      messages: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
    });
    expect((await call("GET", `/api/v1/sessions/${id}/export?format=markdown`)).text).toContain("## 3. user");
    expect((await call("DELETE", `/api/v1/sessions/${id}`)).body).toEqual({ id, deleted: true });
    expect((await call("GET", `/api/v1/sessions/${id}`)).status).toBe(404);
    expect((await call("GET", `/api/v1/sessions/${branch.body["id"] as string}/messages`)).body).toMatchObject({
      data: [{ seq: 1 }, { seq: 2 }],
    });
  });

  it("are listed and deleted by the generic routes, which neither add nor update them", async () => {
    const { call } = await served();
    const { body } = await call("POST", "/api/v1/sessions", { body: { user_id: "u1" } });
    await call("POST", "/api/v1/sessions", { body: { user_id: "u2" } });
    const id = body["id"] as string;
    expect((await call("GET", "/api/v1/list/sessions?user_id=u1")).body).toMatchObject({ data: [{ id }], next_cursor: null });
    expect((await call("GET", "/api/v1/session?user_id=u1")).body).toMatchObject({ data: [{ id }] });
    expect(codeOf(await call("POST", "/api/v1/add/session", { body: {} }))).toBe("unknown_resource_type");
    expect(codeOf(await call("PATCH", `/api/v1/update/session/${id}`, { body: {} }))).toBe("unknown_resource_type");
    expect((await call("DELETE", `/api/v1/del/session/${id}`)).status).toBe(200);
    expect((await call("GET", `/api/v1/session/${id}`)).status).toBe(404);
    expect((await call("GET", "/api/v1/list/sessions")).body).toMatchObject({ data: [{ user_id: "u2" }] });
    const audit = await call("GET", "/api/v1/audit-logs?limit=50");
    expect(audit.text).toContain(id);
  });

  it("are made once for one idempotency key, with their messages", async () => {
    const { call, gateway } = await served();
    const o = { body: { messages: [user("one")] }, headers: { "idempotency-key": "k" } };
    const [first, again] = [await call("POST", "/api/v1/sessions", o), await call("POST", "/api/v1/sessions", o)];
    expect(again.body).toEqual(first.body);
    expect((await gateway.sessions.list()).rows).toHaveLength(1);
    const id = first.body["id"] as string;
    for (let i = 0; i < 2; i++) await call("POST", `/api/v1/sessions/${id}/messages`, { ...o, headers: { "idempotency-key": "m" } });
    expect((await gateway.sessions.get(id))?.messageCount).toBe(2);
  });

  it("refuse a model that there is not, and leave nothing half made", async () => {
    const { call, gateway } = await served({ model: script() });
    expect(codeOf(await call("POST", "/api/v1/sessions", { body: { model: "nobody/knows" } }))).toBe("model_not_found");
    expect(codeOf(await call("POST", "/api/v1/chat?provider=no&model=such&operation=conversation", { body: { user_message: "hi" } }))).toBe(
      "model_not_found",
    );
    const bad = { role: "tool", content: [{ type: "tool_result", call_id: "c", content: "\ud800" }] };
    expect((await call("POST", "/api/v1/sessions", { body: { messages: [user("fine"), bad] } })).status).toBe(400);
    expect(codeOf(await call("POST", "/api/v1/sessions", { body: { title: "x".repeat(201) } }))).toBe("validation_failed");
    const long = Array.from({ length: 17 }, () => user("x".repeat(1_000_000)));
    const chat = "/api/v1/chat?provider=test&model=script&operation=conversation";
    expect(codeOf(await call("POST", chat, { body: { messages: long } }))).toBe("payload_too_large");
    expect((await gateway.sessions.list()).rows).toEqual([]);
    const { body } = await call("POST", "/api/v1/sessions", { body: {} });
    expect(codeOf(await call("PATCH", `/api/v1/sessions/${body["id"] as string}`, { body: { model: "nobody/knows" } }))).toBe(
      "model_not_found",
    );
    expect((await gateway.sessions.get(body["id"] as string))?.model).toBeNull();
  });
});

describe("POST /api/v1/chat", () => {
  const chat = "/api/v1/chat?provider=test&model=script";

  it("answers a completion and a chat, and keeps no session of them", async () => {
    const model = script("Hi.", "Two.");
    const { call, gateway } = await served({ model });
    const first = await call("POST", `${chat}&operation=completion`, {
      body: { system_message: "Be short.", user_message: "Hello", temperature: 0.5, max_tokens: 9 },
    });
    expect(first).toMatchObject({
      status: 200,
      body: { session_id: null, operation: "completion", message: { role: "assistant", content: "Hi." }, steps: 1 },
    });
    const second = await call("POST", chat, {
      body: { messages: [user("one"), { role: "assistant", content: "1" }], user_message: "two?", response_format: "json_object" },
    });
    expect(second.body).toMatchObject({ operation: "chat", message: { content: "Two." } });
    expect(model.calls[0]).toMatchObject({ temperature: 0.5, maxOutputTokens: 9 });
    expect(model.calls[1]).toMatchObject({
      output: { type: "json" },
      messages: [{ role: "user" }, { role: "assistant" }, { role: "user" }],
    });
    expect((await gateway.sessions.list()).rows).toEqual([]);
  });

  it("makes a session of a conversation, whose later turns keep its model, its system message and its MCP configuration", async () => {
    const model = script("Hello.", "Again.");
    const { call } = await served({ model });
    const mcp_config = { tools: [], instructions: ["Cite."], operations: ["read"] };
    const first = await call("POST", `${chat}&operation=conversation`, {
      body: { user_message: "I am Ada", system_message: "Be kind.", mcp_config, user_id: "u1" },
    });
    const id = first.body["session_id"] as string;
    const second = await call("POST", `/api/v1/chat?session=${id}`, { body: { user_message: "And now?" } });
    expect(second.body).toMatchObject({ session_id: id, operation: "conversation", model: "test/script", message: { content: "Again." } });
    expect(model.calls[1]?.messages.map(({ content }) => (content[0] as { text: string }).text)).toEqual([
      "Be kind.",
      "Cite.",
      "I am Ada",
      "Hello.",
      "And now?",
    ]);
    expect((await call("GET", `/api/v1/session/${id}`)).body).toMatchObject({
      ...{ user_id: "u1", mcp: mcp_config, message_count: 4 },
      messages: [
        { seq: 1 },
        { seq: 2, model: "test/script" },
        { seq: 3 },
        { seq: 4, run_id: second.body["run_id"], usage: second.body["usage"] },
      ],
    });
    expect(codeOf(await call("POST", `/api/v1/chat?session=${id}`, { body: { user_message: "Mine?", user_id: "u2" } }))).toBe("not_found");
  });

  it("streams the run's events, and names run and session in its headers", async () => {
    const { call } = await served({ model: script("Hello there.") });
    const answer = await call("POST", `${chat}&operation=conversation`, { body: { user_message: "Hi", stream: true } });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    expect(answer.headers.get("x-session-id")).toMatch(/^session_/);
    expect(answer.headers.get("x-run-id")).toMatch(/^run_/);
    expect(answer.text).toContain("event: run.succeeded");
  });

  it("says what it does not do yet, and what contradicts itself", async () => {
    const { call } = await served({ model: script() });
    const body = { user_message: "hi" };
    expect(codeOf(await call("POST", `${chat}&agent_id=a`, { body }))).toBe("unsupported_feature");
    expect(codeOf(await call("POST", `${chat}&task_id=t`, { body }))).toBe("unsupported_feature");
    expect(codeOf(await call("POST", "/api/v1/chat", { body }))).toBe("validation_failed");
    expect(codeOf(await call("POST", "/api/v1/chat?provider=test", { body }))).toBe("validation_failed");
    expect(codeOf(await call("POST", chat, { body: {} }))).toBe("validation_failed");
    expect(codeOf(await call("POST", `${chat}&session=s&operation=chat`, { body }))).toBe("validation_failed");
    expect(codeOf(await call("POST", "/api/v1/chat?session=session_nobody", { body }))).toBe("not_found");
  });

  it("fails with what its run failed with, and says which run that was", async () => {
    const { call, gateway } = await served({ model: script({ error: "upstream_rate_limited" }) });
    const answer = await call("POST", `${chat}&operation=conversation`, { body: { user_message: "hi" } });
    expect(codeOf(answer)).toBe("upstream_rate_limited");
    expect(answer.text).toContain("run_");
    const [row] = (await gateway.sessions.list()).rows;
    expect(row).toMatchObject({ messageCount: 0, turnId: null });
  });
});
