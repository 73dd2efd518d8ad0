import { expect, it } from "vitest";
import { auditEntry, type AuditRow } from "../../src/entities/index.js";
import { auditVerdict } from "../../src/telemetry/audit/audit-trail.js";
import { SYSTEM_CALLER } from "../../src/calls/index.js";
import { metered } from "../money/harness.js";
import { scope, soon, watched, within, type Watched } from "./harness.js";

const rows = async ({ store }: Watched): Promise<AuditRow[]> =>
  (await store.find(auditEntry, { orderBy: "atMs", limit: 1000 }, scope, within())).rows;
const tool = (args: Record<string, unknown>, name = "demo__add") => ({
  body: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } },
  headers: { accept: "application/json, text/event-stream" },
});

it("says who called what, from where, why and how it ended (behaviours 3.8)", async () => {
  const gateway = await watched();
  const answer = await gateway.chat({ headers: { "x-sallyport-purpose": "to answer a customer", "x-request-id": "req_who" } });
  expect(answer.status).toBe(200);
  const row = await soon(async () => (await rows(gateway))[0]);
  expect(row).toMatchObject({
    action: "model.call",
    target: "demo/echo",
    requestId: "req_who",
    source: "http",
    actorKind: "owner",
    purpose: "to answer a customer",
  });
  const { json } = await gateway.get("/api/v1/audit-logs?request_id=req_who");
  expect(json.data).toMatchObject([{ outcome: "success", purpose: "to answer a customer", source: "http", parameters: null }]);
});

it("tells a refusal from a failure (bug of 5.10: `==400 && ==403` is never true)", () => {
  const row = (code: string | null, status: number, outcome: AuditRow["outcome"] = "failed") => auditVerdict({ code, status, outcome });
  expect(row("forbidden", 403)).toBe("blocked");
  expect(row("content_blocked", 403)).toBe("blocked");
  expect(row("budget_exceeded", 402)).toBe("blocked");
  expect(row("validation_failed", 400)).toBe("failure");
  expect(row("upstream_unavailable", 502)).toBe("failure");
  expect(row("cancelled", 499, "aborted")).toBe("failure");
  expect(row(null, 200, "done")).toBe("success");
  expect(row(null, 500, "done")).toBe("failure");
});

it("gives every tool a purpose, keeps it for the audit and does not hand it on", async () => {
  const gateway = await watched({ mcp: { purpose: true }, audit: { parameters: "redacted" } });
  const listed = await gateway.request("POST", "/mcp", {
    body: { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} },
    headers: { accept: "application/json, text/event-stream" },
  });
  const tools = listed.json.result.tools as {
    name: string;
    inputSchema: { properties: Record<string, unknown>; additionalProperties?: boolean };
  }[];
  expect(tools.length).toBeGreaterThan(0);
  for (const { inputSchema } of tools) expect(inputSchema.properties).toHaveProperty("purpose");
  const name = tools.find((one) => one.name.includes("echo"))?.name ?? tools[0]!.name;
  const called = await gateway.request("POST", "/mcp", tool({ purpose: "to see it come back", text: "hello", message: "hello" }, name));
  expect(called.text).not.toContain("to see it come back");
  const row = await soon(async () => (await rows(gateway)).find(({ action }) => action === "tool.call"));
  expect(row).toMatchObject({ purpose: "to see it come back", source: "mcp" });
  expect(JSON.stringify(row.parameters)).not.toContain("purpose");
  // In code and in runs too.
  await gateway.gateway.mcp.call(name, { purpose: "in code", text: "hello", message: "hello" }).catch(() => undefined);
  const inCode = await soon(async () => (await rows(gateway)).find(({ purpose }) => purpose === "in code"));
  expect(inCode.source).toBe("code");
});

it("keeps arguments only when asked, without secrets, and cuts them (T26)", async () => {
  const canary = "canary-9f8e7d6c5b4a";
  const gateway = await watched({ audit: { parameters: "redacted", redactKeys: ["pin"] }, providers: { openai: { apiKey: canary } } });
  const args = { password: "hunter2-hunter2", nested: { PIN: "1234", note: `it is ${canary}` }, long: "x".repeat(40_000) };
  await gateway.request("POST", "/mcp", tool(args));
  await gateway.request("POST", "/mcp", tool({ a: 1, b: 2, api_key: "sk-0123456789abcdef" }));
  const kept = await soon(async () => {
    const all = (await rows(gateway)).filter(({ action }) => action === "tool.call");
    return all.length === 2 && all;
  });
  const text = JSON.stringify(kept);
  for (const secret of [canary, "hunter2", "1234", "sk-0123456789abcdef"]) expect(text).not.toContain(secret);
  expect(kept.some(({ parameters }) => (parameters as { truncated?: boolean } | null)?.truncated === true)).toBe(true);
  for (const { parameters } of kept) expect(JSON.stringify(parameters).length).toBeLessThan(17_000);
  const plain = await watched();
  await plain.request("POST", "/mcp", tool({ a: 1, b: 2 }));
  expect((await soon(async () => (await rows(plain))[0])).parameters).toBeNull();
});

it("is searched, filtered, paged, exported and summed", async () => {
  const gateway = await watched();
  for (let i = 0; i < 5; i++) await gateway.chat({ headers: { "x-request-id": `req_${i}` } });
  await gateway.chat({ body: { model: "nobody/nothing" }, headers: { "x-request-id": "req_bad" } });
  await gateway.request("POST", "/mcp", tool({ a: 1, b: 2 }, "demo__nothing"));
  await soon(async () => (await rows(gateway)).length >= 6);
  const actions = async (query: string) =>
    ((await gateway.get(`/api/v1/audit-logs${query}`)).json.data as { request_id: string }[]).map((row) => row.request_id);
  expect(await actions("/search?q=NOBODY/")).toEqual(["req_bad"]);
  expect(await actions("?outcomes=failure&actions=model.call")).toEqual(["req_bad"]);
  expect(await actions("?source=code")).toEqual([]);
  expect(await actions("?key=nobody")).toEqual([]);
  const first = (await gateway.get("/api/v1/audit-logs?limit=2&actions=model.call")).json;
  expect(first).toMatchObject({ has_more: true });
  const ids = first.data.map((row: { id: string }) => row.id);
  let cursor = first.next_cursor as string | null;
  while (cursor !== null) {
    const page = (await gateway.get(`/api/v1/audit-logs?limit=2&actions=model.call&cursor=${cursor}`)).json;
    ids.push(...page.data.map((row: { id: string }) => row.id));
    cursor = page.next_cursor;
  }
  expect(new Set(ids).size).toBe(6);
  expect(ids).toHaveLength(6);
  const stats = (await gateway.get("/api/v1/audit-logs/stats")).json;
  expect(stats.by_outcome.success).toBe(5);
  expect(stats.by_action["model.call"]).toBe(6);
  expect((await gateway.get("/api/v1/audit-logs?outcomes=good")).status).toBe(400);
  const json = (await gateway.get("/api/v1/audit-logs/export?actions=model.call")).json;
  expect(json).toHaveLength(6);
  const csv = await gateway.get("/api/v1/audit-logs/export?format=csv&actions=model.call");
  expect(csv.headers.get("content-type")).toContain("text/csv");
  expect(csv.text.trim().split("\r\n")).toHaveLength(7);
  const id = json[0].id as string;
  expect((await gateway.get(`/api/v1/audit-logs/${id}`)).json.id).toBe(id);
  expect((await gateway.get("/api/v1/audit-logs/nothing")).status).toBe(404);
});

it("cannot be forged: what a caller sends is one cell of one line (T46)", async () => {
  const gateway = await watched();
  const hostile = '=cmd|"/c calc"!A1\r\nadmin,success';
  await gateway.chat({ body: { model: hostile }, headers: { "x-sallyport-purpose": "=1+1" } });
  await soon(async () => (await rows(gateway)).length === 1);
  const { text } = await gateway.get("/api/v1/audit-logs/export?format=csv");
  const cells = text.split("\r\n").filter((line) => line !== "");
  expect(text).not.toMatch(/(^|,)=/m);
  expect(cells.length).toBeLessThanOrEqual(3);
});

it("has a row for each threshold of a budget that was passed, which alerts count", async () => {
  const { ask, gateway } = await metered({ budgets: [{ amountUsd: "0.01", hard: false, thresholds: [50] }] });
  for (let i = 0; i < 2; i++) await ask();
  const { rows: found } = await soon(async () => {
    const page = await gateway.telemetry.audit.find({ actions: ["budget.threshold"] }, { limit: 5 }, SYSTEM_CALLER);
    return page.rows.length > 0 && page;
  });
  expect(found[0]).toMatchObject({ resourceType: "budget", actorKind: "system", purpose: "50 % are spent" });
});
