import { expect, it } from "vitest";
import { traceSpan, usageEntry, type TraceSpanRow } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { SYSTEM_CALLER } from "../../src/calls/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { clock } from "../../src/platform/node.js";
import { GroupCommit } from "../../src/policy/group-commit.js";
import type { OpenCall } from "../../src/policy/step.js";
import { insert } from "../../src/ports/index.js";
import { keepSpans } from "../../src/telemetry/traces/keep-spans.js";
import { percentile } from "../../src/telemetry/traces/call-stats.js";
import { scope, soon, usageRow, watched, within, type Watched } from "./harness.js";

const spans = async ({ store }: Watched): Promise<TraceSpanRow[]> =>
  (await store.find(traceSpan, { orderBy: "atMs", limit: 1000 }, scope, within())).rows;
const calls = async ({ store }: Watched) => (await store.find(usageEntry, { orderBy: "atMs", limit: 1000 }, scope, within())).rows;

it("stores nothing beside the usage row of a plain call, and shows it all the same", async () => {
  const gateway = await watched();
  await gateway.chat({ headers: { "x-request-id": "req_plain" } });
  await soon(async () => (await calls(gateway)).length === 1);
  expect(await spans(gateway)).toEqual([]);
  const { json } = await gateway.get("/api/v1/traces/req_plain");
  expect(json.trace).toMatchObject({ request_id: "req_plain", trace_id: "req_plain", status: "success", calls: 1 });
  expect(json.spans).toMatchObject([{ kind: "call", name: "demo/echo", server: "demo", status: "success", status_code: 200 }]);
  const listed = (await gateway.get("/api/v1/traces")).json.data;
  expect(listed).toMatchObject([{ request_id: "req_plain", name: "demo/echo", server: "demo" }]);
  expect((await gateway.get(`/v1/traces/${listed[0].id}`)).json.trace.request_id).toBe("req_plain");
  expect((await gateway.get("/api/v1/traces/nothing")).status).toBe(404);
});

it("keeps the trace that a call began elsewhere, and is found by it", async () => {
  const gateway = await watched();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  await gateway.chat({ headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, "x-request-id": "req_traced" } });
  const [row] = await soon(async () => {
    const rows = await spans(gateway);
    return rows.length === 1 && rows;
  });
  expect(row).toMatchObject({ traceId, parentId: "b7ad6b7169203331", kind: "call", requestId: "req_traced", status: "success" });
  expect((await gateway.get(`/api/v1/traces/${traceId}`)).json.trace).toMatchObject({ request_id: "req_traced", trace_id: traceId });
  // What is no traceparent begins no trace.
  await gateway.chat({ headers: { traceparent: "00-nonsense-01" } });
  await soon(async () => (await calls(gateway)).length === 2);
  expect(await spans(gateway)).toHaveLength(1);
});

it("shows each attempt of a call that needed several", async () => {
  const gateway = await watched();
  gateway.gateway.providers.add({
    name: "broken",
    models: ["m"],
    // oxlint-disable-next-line require-yield -- it never says anything
    answer: async function* () {
      throw new GatewayError("upstream_unavailable", "It is down.");
    },
  });
  await gateway.gateway.routes.add("r", { targets: [{ model: "broken/m" }, { model: "demo/echo" }] });
  expect((await gateway.chat({ body: { model: "route/r" }, headers: { "x-request-id": "req_tried" } })).status).toBe(200);
  const { spans: shown } = await soon(async () => {
    const { json, status } = await gateway.get("/api/v1/traces/req_tried");
    return status === 200 && json;
  });
  const attempts = shown.filter((span: { kind: string }) => span.kind === "attempt");
  expect(attempts.length).toBeGreaterThanOrEqual(2);
  expect(attempts[0]).toMatchObject({ server: "broken", error: "upstream_unavailable", status: "error" });
  expect(attempts.at(-1)).toMatchObject({ server: "demo", status: "success" });
});

it("computes the numbers of 5.5 from the rows of the window", async () => {
  const gateway = await watched();
  const nowMs = Date.now();
  const row = (i: number, o: { atMs: number; status?: number; provider?: string }) =>
    usageRow({ id: `call_${i}`, requestId: `req_${i}`, costNanoUsd: 1_000_000, durationMs: i, ...o });
  const rows = [
    ...Array.from({ length: 100 }, (_, i) =>
      row(i + 1, { atMs: nowMs - 1_000, status: i < 10 ? 502 : i < 15 ? 504 : 200, provider: i < 50 ? "p" : "q" }),
    ),
    row(5_000, { atMs: nowMs - 1.5 * 86_400_000 }),
    { ...row(6_000, { atMs: nowMs }), projectId: "other" },
  ];
  await gateway.store.commit([{ scope, writes: rows.map((one) => insert(usageEntry, one)) }], within());
  const { json: stats } = await gateway.get("/api/v1/traces/stats");
  expect(stats).toMatchObject({
    ...{ total_requests: 100, success_count: 85, error_count: 15, error_rate: 0.15, total_cost_usd: "0.1" },
    ...{ p50_duration_ms: 50, p95_duration_ms: 95, p99_duration_ms: 99, avg_duration_ms: 50.5, measured: 100 },
  });
  expect((await gateway.get("/api/v1/traces/stats?server=q")).json).toMatchObject({ total_requests: 50, error_count: 0 });
  expect((await gateway.get("/api/v1/traces?status=timeout&limit=200")).json.data).toHaveLength(5);
  const { json: overview } = await gateway.get("/v1/metrics/overview?period=day");
  expect(overview.total_requests).toMatchObject({ value: 100, change: 99, formatted: "100" });
  expect(overview.error_rate.formatted).toBe("15.00 %");
  const { json: top } = await gateway.get("/v1/metrics/top-servers");
  expect(top.servers).toMatchObject([
    { server: "p", total_requests: 50, error_count: 15, error_rate: 0.3 },
    { server: "q", total_requests: 50 },
  ]);
  const { json: chart } = await gateway.get("/v1/metrics/requests-chart?period=hour");
  expect(chart.data.reduce((sum: number, bucket: { requests: number }) => sum + bucket.requests, 0)).toBe(100);
  expect((await gateway.get("/v1/metrics/recent-traces?limit=3")).json.traces).toHaveLength(3);
});

it("takes the nearest rank as a percentile", () => {
  expect(percentile([], 0.5)).toBeNull();
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
  expect(percentile([1, 2, 3, 4], 0.95)).toBe(4);
  expect(percentile([1, 2, 3, 4], 0)).toBe(1);
});

it("keeps what policy did on the way of a call as spans of it, and shows them", async () => {
  const gateway = await watched();
  const made = await gateway.request("POST", "/api/v1/guardrails", {
    body: { name: "no-kittens", kind: "words", stages: ["input"], action: "block", settings: { words: ["kitten"] } },
  });
  expect(made.status, made.text).toBe(201);
  const asked = { body: { messages: [{ role: "user", content: "a kitten" }] }, headers: { "x-request-id": "req_guarded" } };
  expect((await gateway.chat(asked)).status).toBe(403);
  const shown = await soon(async () => {
    const { json, status } = await gateway.get("/api/v1/traces/req_guarded");
    return status === 200 && json.spans.length === 2 && json;
  });
  expect(shown.trace).toMatchObject({ status: "error", error: "content_blocked" });
  expect(shown.spans.find((span: { kind: string }) => span.kind === "guardrail")).toMatchObject({
    ...{ name: "no-kittens", status: "error", error: "content_blocked", attributes: { stage: "input", action: "block" } },
  });
  expect(JSON.stringify(shown)).not.toContain("a kitten");
});

it("writes nothing at all for a plain call", () => {
  const store = memoryStore();
  const ledger = new GroupCommit({ store, clock, onError: () => undefined });
  const observer = keepSpans({ ledger, clock, sample: () => 1, redact: (text) => text });
  const end = (call: object) => observer.begin(call as OpenCall)!({ kind: "done", status: 200, started: true });
  const plain = { trace: null, origin: null, spans: null, caller: SYSTEM_CALLER, requestId: "r", id: "c", runId: null };
  end(plain);
  expect(ledger.waiting).toBe(0);
  end({ ...plain, spans: [{ kind: "cache", name: "n", startedAtMs: 0, durationMs: 1 }] });
  expect(ledger.waiting).toBe(1);
});
