import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "@sallyport/core";
import { expect, it, onTestFinished } from "vitest";
import { sqlite } from "../src/index.js";

const ownerKey = "owner-key-of-the-telemetry-tests-3f9a1c7e";

async function started(options: ConstructorParameters<typeof Gateway>[0] = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-telemetry-"));
  const gateway = new Gateway({ env: {}, ownerKey, storage: sqlite(join(folder, "a.db")), logging: { level: "silent" }, ...options });
  await gateway.start();
  onTestFinished(async () => {
    await gateway.close({ graceMs: 0 });
    rmSync(folder, { recursive: true, force: true });
  });
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await gateway.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: { authorization: `Bearer ${ownerKey}`, "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    // oxlint-disable-next-line typescript/no-explicit-any -- what a test reads of an answer, it expects
    return { status: response.status, json: (await response.json()) as any };
  };
  const chat = (model = "demo/echo", headers: Record<string, string> = {}) =>
    ask("POST", "/v1/chat/completions", { model, messages: [{ role: "user", content: "hi" }] }, headers);
  return { gateway, ask, chat };
}

async function soon<T>(look: () => Promise<T | false>): Promise<T> {
  for (const until = Date.now() + 60_000; ; ) {
    const found = await look();
    if (found !== false) return found;
    if (Date.now() > until) throw new Error("it did not happen");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it("answers from SQLite what it answers from memory: the audit, traces and their numbers", async () => {
  const { ask, chat } = await started();
  const trace = "0af7651916cd43dd8448eb211c80319c";
  for (let i = 0; i < 4; i++) await chat("demo/echo", { "x-request-id": `req_${i}` });
  await chat("nobody/x", { "x-request-id": "req_bad", "x-sallyport-purpose": "to see it fail" });
  await chat("demo/echo", { "x-request-id": "req_traced", traceparent: `00-${trace}-b7ad6b7169203331-01` });
  const stats = await soon(async () => {
    const { json } = await ask("GET", "/api/v1/audit-logs/stats");
    return json.total >= 6 && json;
  });
  expect(stats.by_outcome).toMatchObject({ success: 5, failure: 1 });
  expect((await ask("GET", "/api/v1/audit-logs/search?q=SEE%20it")).json.data).toMatchObject([
    { request_id: "req_bad", outcome: "failure" },
  ]);
  const first = (await ask("GET", "/api/v1/audit-logs?limit=4&actions=model.call")).json;
  const second = (await ask("GET", `/api/v1/audit-logs?limit=4&actions=model.call&cursor=${first.next_cursor}`)).json;
  expect(new Set([...first.data, ...second.data].map((row: { id: string }) => row.id)).size).toBe(6);
  expect((await ask("GET", `/api/v1/audit-logs?to_ms=${Date.now() - 3_600_000}`)).json.data).toEqual([]);
  expect((await ask("GET", "/api/v1/traces/stats")).json).toMatchObject({ total_requests: 6, error_count: 1, measured: 6 });
  expect((await ask("GET", `/api/v1/traces/${trace}`)).json.trace).toMatchObject({ request_id: "req_traced", trace_id: trace });
  expect((await ask("GET", "/api/v1/traces?server=demo&limit=3")).json).toMatchObject({ has_more: true });
  const { data } = (await ask("GET", "/v1/metrics/requests-chart?period=hour")).json as { data: { requests: number }[] };
  expect(data.reduce((sum, { requests }) => sum + requests, 0)).toBe(6);
});

it("evaluates rules, and keeps a channel's secret sealed", async () => {
  const { ask, chat } = await started({ telemetry: { alerts: { everySeconds: 1 } } });
  const channel = await ask("POST", "/api/v1/alert-channels", { name: "c", kind: "slack", secret: "https://hooks.example.com/services/x" });
  expect(channel.json).toMatchObject({ secret: { set: true } });
  const rule = { name: "errors", metric: "error_rate", condition: "gte", threshold: 0.5, channels: [channel.json.id] };
  const made = await ask("POST", "/api/v1/alert-rules", rule);
  expect(made.json).toMatchObject({ window_minutes: 5, severity: "warning", enabled: true });
  await chat("nobody/x");
  const open = await soon(async () => {
    const { json } = await ask("GET", "/api/v1/alerts?status=firing");
    return json.data.length === 1 && json.data[0];
  });
  expect(open).toMatchObject({ rule_id: made.json.id, value: 1, threshold: 0.5 });
  expect((await ask("POST", `/api/v1/alerts/${open.id}/acknowledge`)).json.status).toBe("acknowledged");
  for (let i = 0; i < 3; i++) await chat();
  await soon(async () => (await ask("GET", `/api/v1/alerts/${open.id}`)).json.status === "resolved");
});
