import { expect, it, onTestFinished } from "vitest";
import { callerOf, codeOf, restGateway } from "../resources/harness.js";

const settings = [
  ["approvals.unknown", "allow", "approvals:write"],
  ["approvals.four_eyes", false, "approvals:write"],
  ["limits.per_key.requests_per_minute", 1_000_000, "limits:write"],
  ["limits.on_counters_down", "refuse", "limits:write"],
  ["money.unknown_price", "allow", "budgets:write"],
  ["access.max_stale_ms", 3_600_000, "keys:write"],
  ["access.sessions.max_ms", 86_400_000, "users:write"],
  ["audit.redact_keys", [], "audit:write"],
  ["retention.audit_days", 1, "audit:write"],
  ["retention.auth_event_days", 1, "audit:write"],
  ["retention.usage_days", 1, "usage:write"],
  ["retention.trace_days", 1, "traces:write"],
  ["retention.detection_days", 1, "guardrails:write"],
] as const;

it("a setting that loosens what another permission guards takes that permission as well (T05)", async () => {
  const config = ["project:*", "config:*"];
  const callers = [callerOf("clerk", { grants: config }), ...new Set(settings.map(([, , needed]) => needed))].map((one) =>
    typeof one === "string" ? callerOf(one, { grants: [...config, one] }) : one,
  );
  const { call, gateway } = await restGateway(callers);
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  for (const [key, value, needed] of settings) {
    const id = key.replaceAll(".", "-");
    const refused = await call("POST", "/api/v1/config", { as: "clerk", body: { key, value } });
    expect([key, refused.status, codeOf(refused)]).toEqual([key, 403, "forbidden"]);
    expect(refused.text).toContain(needed);
    expect([key, (await call("POST", "/api/v1/config", { as: needed, body: { key, value } })).status]).toEqual([key, 201]);
    expect((await call("PATCH", `/api/v1/config/${id}`, { as: "clerk", body: { value } })).status).toBe(403);
    expect((await call("DELETE", `/api/v1/config/${id}`, { as: "clerk" })).status).toBe(403);
    expect((await call("DELETE", `/api/v1/config/${id}`, { as: needed })).status).toBe(200);
  }
  expect((await call("POST", "/api/v1/config", { as: "clerk", body: { key: "sessions.ttl_days", value: 2 } })).status).toBe(201);
  expect(
    (await call("POST", "/api/v1/add/gateway-config", { as: "clerk", body: { key: "approvals.unknown", value: "allow" } })).status,
  ).toBe(403);
});
