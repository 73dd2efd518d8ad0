import { expect, it, onTestFinished } from "vitest";
import { configEntry } from "../../src/entities/index.js";
import { callerOf, codeOf, restGateway } from "../resources/harness.js";

const admin = callerOf("ada", { grants: ["config:read", "config:write"] });
const owner = callerOf("root");
const reader = callerOf("reader", { grants: ["config:read", "project:*"] });

async function set() {
  const { gateway, call } = await restGateway([owner, admin, reader], { server: { trustProxy: false } });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  return { gateway, call };
}
type Row = Readonly<Record<string, unknown>>;

it("lists every setting, stored or not, with what it takes, what holds and where from; also by the generic path, and as a file", async () => {
  const { gateway, call } = await set();
  await call("POST", "/api/v1/add/gateway-config", { body: { key: "limits.per_key.concurrency", value: 4 } });
  const rows: Row[] = [];
  for (const path of ["/api/v1/config?limit=100", "/api/v1/list/gateway-config?limit=100"]) {
    const { status, body } = await call("GET", path);
    expect([path, status]).toEqual([path, 200]);
    rows.splice(0, rows.length, ...(body["data"] as Row[]));
  }
  const of = (key: string): Row => rows.find((row) => row["key"] === key)!;
  expect(of("limits.per_key.concurrency")).toEqual({
    ...{
      id: "limits-per_key-concurrency",
      key: "limits.per_key.concurrency",
      value: 4,
      changed_by: "root",
      origin: "database",
      version: 1,
    },
    ...{ created_at_ms: expect.any(Number) as number, updated_at_ms: expect.any(Number) as number },
    ...{
      type: "integer",
      expected: "a whole number from 1 to 1000000000",
      unit: null,
      description: "calls under way at once",
      default: null,
    },
    ...{
      effective: 4,
      source: "database",
      from: "the stored setting limits.per_key.concurrency",
      fixed: null,
      state: "applied",
      problem: null,
    },
  });
  expect(of("server.trust_proxy")).toMatchObject({
    value: null,
    origin: "configuration",
    version: null,
    effective: false,
    source: "code",
    state: null,
  });
  expect(rows.filter(({ origin }) => origin === "database")).toHaveLength(1);
  expect(rows).toHaveLength((await gateway.configuration.list()).filter(({ fixed }) => fixed === null).length);
  const csv = await call("GET", "/api/v1/config?format=csv");
  expect(csv.text.split("\r\n")[0]).toContain("key,value,changed_by");
  expect((await call("GET", "/api/v1/config?key=server.docs")).body["data"]).toMatchObject([{ key: "server.docs", effective: true }]);
});

it("takes a setting by its key or by the id of its row, whether it was stored or not", async () => {
  const { gateway, call } = await set();
  const put = await call("PUT", "/api/v1/config/retention.audit_days", { body: { value: 10 } });
  expect([put.status, put.headers.get("etag")]).toEqual([200, '"1"']);
  expect(put.body).toMatchObject({ key: "retention.audit_days", value: 10, effective: 10, version: 1, changed_by: "root" });
  expect(gateway.config.retention.auditDays).toBe(10);
  const patch = await call("PATCH", "/api/v1/update/gateway-config/retention-audit_days", { body: { value: 11, if_version: 1 } });
  expect(patch.body).toMatchObject({ value: 11, version: 2 });
  const late = await call("PATCH", "/api/v1/config/retention.audit_days", { body: { value: 12 }, headers: { "if-match": '"1"' } });
  expect([late.status, codeOf(late)]).toEqual([412, "precondition_failed"]);
  const again = await call("POST", "/api/v1/add/gateway-config", { body: { key: "retention.audit_days", value: 13 } });
  expect([again.status, codeOf(again)]).toEqual([409, "conflict"]);
  const list = await call("PUT", "/api/v1/config/server.allowed_origins", { body: { value: ["https://a.example"] } });
  expect(list.body).toMatchObject({ value: ["https://a.example"], effective: ["https://a.example"] });
  expect((await call("GET", "/api/v1/config/server.allowed_origins")).body).toMatchObject({ value: ["https://a.example"], version: 1 });
  expect((await call("DELETE", "/api/v1/del/gateway-config/retention.audit_days")).body).toEqual({
    id: "retention.audit_days",
    deleted: true,
  });
  expect((await call("GET", "/api/v1/config/retention.audit_days")).body).toMatchObject({ value: null, effective: 90, source: "default" });
  const bulk = await call("POST", "/api/v1/config/bulk", {
    body: [
      { op: "update", id: "retention.usage_days", patch: { value: 7 } },
      { op: "update", id: "retention.trace_days", patch: { value: "7" } },
      { op: "delete", id: "server.allowed_origins" },
    ],
  });
  expect((bulk.body["data"] as Row[]).map(({ status }) => status)).toEqual([200, 400, 200]);
  expect(gateway.config.server.allowedOrigins).toEqual([]);
  const { data } = (await call("GET", "/api/v1/audit-logs?limit=50")).body as { data: Row[] };
  const changes = data
    .filter(({ resource_type: type }) => type === "gateway-config")
    .map(({ action, target, caller_id: by }) => [action, target, by]);
  expect(changes.reverse()).toEqual([
    ["gateway-config.create", "retention-audit_days", "root"],
    ["gateway-config.update", "retention-audit_days", "root"],
    ["gateway-config.create", "server-allowed_origins", "root"],
    ["gateway-config.delete", "retention-audit_days", "root"],
    ["gateway-config.create", "retention-usage_days", "root"],
    ["gateway-config.delete", "server-allowed_origins", "root"],
  ]);
});

it("refuses what does not fit, and says so by explain and test", async () => {
  const { gateway, call } = await set();
  const refused = async (key: string, value: unknown) => {
    const answers = [
      await call("PUT", `/api/v1/config/${key}`, { body: { value } }),
      await call("POST", "/api/v1/add/gateway-config", { body: { key, value } }),
    ];
    expect(answers[0]!.text.includes("canary")).toBe(false);
    return answers.map((answer) => `${answer.status} ${String(codeOf(answer))}`);
  };
  expect(await refused("retention.audit_days", "canary")).toEqual(["400 validation_failed", "400 validation_failed"]);
  expect(await refused("retention.audit_days", null)).toEqual(["400 validation_failed", "400 validation_failed"]);
  expect(await refused("server.trust_proxy", true)).toEqual(["409 conflict", "409 conflict"]);
  expect(await refused("mcp.allow_stdio", [{ command: "sh" }])).toEqual(["404 not_found", "403 forbidden"]);
  expect(await refused("no.such_setting", 1)).toEqual(["404 not_found", "404 not_found"]);
  const test = await call("POST", "/api/v1/config/retention.audit_days/test", { body: { value: 4_000 } });
  expect(test.body).toEqual({
    ...{ accepted: false, value: 90 },
    problem: "retention.audit_days: found 4000, expected a whole number from 1 to 3650. Write a whole number from 1 to 3650.",
  });
  expect((await call("POST", "/api/v1/config/retention.audit_days/test", { body: { value: 40 } })).body).toEqual({
    ...{ accepted: true, problem: null, value: 40 },
  });
  const explained = await call("GET", "/api/v1/config/server.trust_proxy/explain");
  expect(explained.body).toMatchObject({ path: "server.trustProxy", value: false, source: "code", fixed: null });
  expect((explained.body["layers"] as Row[]).filter(({ wins }) => wins === true)).toEqual([
    { source: "code", from: "code", value: false, wins: true },
  ]);
  expect((await call("GET", "/api/v1/config/server.host/explain")).body).toMatchObject({ fixed: "the address is bound at the start" });
  expect(gateway.config.retention.auditDays).toBe(90);
});

it("is of every project: who administers some of them neither changes nor reads it (T04)", async () => {
  const { call } = await set();
  const paths = [
    ["GET", "/api/v1/config"],
    ["GET", "/api/v1/list/gateway-config"],
    ["GET", "/api/v1/config/server.docs"],
    ["GET", "/api/v1/config/server.docs/explain"],
    ["POST", "/api/v1/config/server.docs/test", { value: false }],
    ["PUT", "/api/v1/config/server.docs", { value: false }],
    ["PATCH", "/api/v1/update/gateway-config/server.docs", { value: false }],
    ["POST", "/api/v1/add/gateway-config", { key: "server.docs", value: false }],
    ["DELETE", "/api/v1/del/gateway-config/server.docs"],
  ] as const;
  const answers: string[] = [];
  for (const [method, path, body] of paths) {
    const narrow = await call(method, path, { as: "ada", body });
    const read = await call(method, path, { as: "reader", body });
    answers.push(`${method} ${path.split("/").slice(3, 5).join("/")} ${narrow.status} ${read.status}`);
  }
  expect(answers).toEqual([
    "GET config 403 200",
    "GET list/gateway-config 403 200",
    "GET config/server.docs 403 200",
    "GET config/server.docs 403 200",
    "POST config/server.docs 403 200",
    "PUT config/server.docs 403 403",
    "PATCH update/gateway-config 403 403",
    "POST add/gateway-config 403 403",
    "DELETE del/gateway-config 403 403",
  ]);
  expect(configEntry.scope).toBeNull();
});
