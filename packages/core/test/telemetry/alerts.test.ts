import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import {
  alert,
  alertChannel,
  alertNotification,
  alertRule,
  usageEntry,
  type AlertNotificationRow,
  type AlertRow,
  toolPin,
  type PinStatus,
} from "../../src/entities/index.js";
import { insert, update, type RecordStore } from "../../src/ports/index.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import { memoryStore } from "../../src/memory/index.js";
import { clock } from "../../src/platform/node.js";
import { AlertEvaluator } from "../../src/telemetry/alerts/evaluator.js";
import { receiver, scope, soon, usageRow, watched, within } from "./harness.js";

const fast = { telemetry: { alerts: { everySeconds: 1, allowPrivate: true } } };
const all = async <R>(store: RecordStore, entity: unknown): Promise<R[]> =>
  (await store.find(entity as never, { orderBy: "id" as never, limit: 1000 }, scope, within())).rows as R[];

let ids = 0;
/** `count` calls of now, so many of which failed. */
async function calls(
  store: RecordStore,
  count: number,
  o: { failed?: number; durationMs?: number; costNanoUsd?: number; provider?: string } = {},
) {
  const rows = Array.from({ length: count }, (_, i) =>
    usageRow({
      ...{ id: `c_${ids++}`, atMs: Date.now(), provider: o.provider ?? "p", costNanoUsd: o.costNanoUsd ?? 0 },
      ...{ status: i < (o.failed ?? 0) ? 502 : 200, durationMs: o.durationMs ?? 10 },
    }),
  );
  await store.commit([{ scope, writes: rows.map((row) => insert(usageEntry, row)) }], within());
}

async function setUp(options: GatewayOptions = {}, rule: Record<string, unknown> = {}, channel: Record<string, unknown> = {}) {
  const hook = await receiver();
  const gateway = await watched({ ...fast, ...options });
  const made = await gateway.request("POST", "/api/v1/alert-channels", {
    body: { name: "hook", kind: "webhook", settings: { url: `${hook.url}/hook` }, secret: "whsec-of-the-tests", ...channel },
  });
  expect(made.status, made.text).toBe(201);
  const ruled = await gateway.request("POST", "/api/v1/alert-rules", {
    body: {
      name: "many errors",
      metric: "error_rate",
      condition: "gt",
      threshold: 0.5,
      severity: "critical",
      channels: [made.json.id],
      ...rule,
    },
  });
  expect(ruled.status, ruled.text).toBe(201);
  return { ...gateway, hook, ruleId: ruled.json.id as string, channelId: made.json.id as string };
}
const resolveAll = async (store: RecordStore) => {
  const old = await all<{ id: string }>(store, usageEntry);
  expect(old.length).toBeGreaterThan(0);
  await store.prune(usageEntry, Date.now() + 1_000, 1000, within());
};

it("fires once, tells its channel once, resolves itself and tells that (5.9: there was no evaluator)", async () => {
  const { store, hook, get } = await setUp();
  await calls(store, 10, { failed: 6 });
  await soon(() => hook.seen.length === 1);
  const body = JSON.parse(hook.seen[0]!.body) as { type: string; alert: Record<string, unknown> };
  expect(body).toMatchObject({
    type: "alert.firing",
    alert: { rule: "many errors", metric: "error_rate", value: 0.6, threshold: 0.5, severity: "critical" },
  });
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(hook.seen[0]!.headers["x-sallyport-signature"]))!;
  expect(v1).toBe(createHmac("sha256", "whsec-of-the-tests").update(`${t}.${hook.seen[0]!.body}`).digest("hex"));
  // It goes on to hold, and nobody is told again.
  await calls(store, 10, { failed: 10 });
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(hook.seen).toHaveLength(1);
  expect((await get("/api/v1/alerts?status=firing")).json.data).toHaveLength(1);
  await resolveAll(store);
  await calls(store, 10);
  await soon(() => hook.seen.length === 2);
  expect(JSON.parse(hook.seen[1]!.body)).toMatchObject({ type: "alert.resolved" });
  const { json } = await get("/api/v1/alerts");
  expect(json.data).toMatchObject([{ status: "resolved", resolved_by: null }]);
});

it("stays open while there is nothing to measure, and ends when its rule is disabled or deleted, which is told", async () => {
  const { store, hook, ruleId, request } = await setUp({ telemetry: { alerts: { everySeconds: 3_600, allowPrivate: true } } });
  const evaluator = new AlertEvaluator(
    { store, clock, log: { warn: (...said: unknown[]) => expect(said).toEqual([]) }, events: { emit: () => undefined } } as never,
    { everyMs: () => 1 },
  );
  const evaluate = async () => {
    await store.commit([{ scope, writes: [update(alertRule, ruleId, { change: { set: { dueAtMs: 0 } } })] }], within());
    await evaluator.evaluateDue();
    return (await all<AlertRow>(store, alert)).map(({ status }) => status);
  };
  await calls(store, 4, { failed: 4 });
  expect(await evaluate()).toEqual(["firing"]);
  await resolveAll(store);
  expect(await evaluate()).toEqual(["firing"]);
  await request("PATCH", `/api/v1/alert-rules/${ruleId}`, { body: { enabled: false } });
  expect(await evaluate()).toEqual(["resolved"]);
  await request("PATCH", `/api/v1/alert-rules/${ruleId}`, { body: { enabled: true } });
  await calls(store, 4, { failed: 4 });
  expect((await evaluate()).sort()).toEqual(["firing", "resolved"]);
  expect((await request("DELETE", `/api/v1/alert-rules/${ruleId}`)).status).toBe(200);
  await evaluator.evaluateDue();
  expect((await all<AlertRow>(store, alert)).map(({ status }) => status)).toEqual(["resolved", "resolved"]);
  const told = (await all<AlertNotificationRow>(store, alertNotification)).map(({ event }) => event).sort();
  expect(told).toEqual(["firing", "firing", "resolved", "resolved"]);
  expect(hook.seen.length).toBeLessThanOrEqual(4);
});

it("opens one alert and sends one message, however many nodes evaluate the rule", async () => {
  const store = memoryStore();
  const hook = await receiver();
  await store.commit(
    [
      {
        scope,
        writes: [
          insert(alertChannel, { id: "ch", name: "hook", kind: "webhook", settings: { url: hook.url }, secret: null, enabled: true }),
          insert(alertRule, {
            ...{ id: "rule", name: "errors", metric: "error_rate", condition: "gte", threshold: 1, windowMinutes: 5, severity: "warning" },
            ...{ channels: ["ch"], filters: {}, enabled: true, dueAtMs: 0 },
          }),
        ],
      },
    ],
    within(),
  );
  await calls(store, 3, { failed: 3 });
  await Promise.all(Array.from({ length: 4 }, () => watched(fast, store)));
  await soon(() => hook.seen.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(hook.seen).toHaveLength(1);
  expect(await all<AlertRow>(store, alert)).toHaveLength(1);
  expect(await all<AlertNotificationRow>(store, alertNotification)).toMatchObject([{ status: "sent", attempt: 1 }]);
});

it("tries a channel that is down again, under the same delivery id, and gives up after the last time", async () => {
  let isDown = true;
  const hook = await receiver(() => (isDown ? 503 : 200));
  const { store } = await setUp({}, {}, { settings: { url: hook.url } });
  await calls(store, 2, { failed: 2 });
  const failed = await soon(async () => (await all<AlertNotificationRow>(store, alertNotification)).find(({ error }) => error !== null));
  expect(failed).toMatchObject({ status: "pending", error: expect.stringContaining("503") as string });
  isDown = false;
  const hurry = update(alertNotification, failed.id, { change: { set: { dueAtMs: 0 } } });
  await store.commit([{ scope, writes: [hurry] }], within());
  await soon(async () => (await all<AlertNotificationRow>(store, alertNotification))[0]?.status === "sent");
  expect(new Set(hook.seen.map(({ headers }) => headers["x-sallyport-delivery"])).size).toBe(1);
  // The last attempt of another one fails: it is given up.
  isDown = true;
  const row = (await all<AlertNotificationRow>(store, alertNotification))[0]!;
  const again = {
    ...{ id: "ntf_last", alertId: row.alertId, channelId: row.channelId, event: "firing" as const, status: "pending" as const },
    ...{ attempt: 7, dueAtMs: 0, sentAtMs: null, error: null },
  };
  await store.commit([{ scope, writes: [insert(alertNotification, again)] }], within());
  await soon(
    async () => (await all<AlertNotificationRow>(store, alertNotification)).find(({ id }) => id === "ntf_last")?.status === "failed",
  );
});

it("is acknowledged and resolved by people, and that stands in the audit", async () => {
  const { store, get, request } = await setUp();
  await calls(store, 2, { failed: 2 });
  const [open] = await soon(async () => {
    const { data } = (await get("/api/v1/alerts")).json as { data: { id: string }[] };
    return data.length === 1 && data;
  });
  const acknowledged = await request("POST", `/api/v1/alerts/${open!.id}/acknowledge`, { body: {} });
  expect(acknowledged.json).toMatchObject({ status: "acknowledged", acknowledged_by: expect.any(String) as string });
  await resolveAll(store);
  const resolved = await request("POST", `/api/v1/alerts/${open!.id}/resolve`, { body: {} });
  expect([200, 409]).toContain(resolved.status);
  expect((await request("POST", `/api/v1/alerts/${open!.id}/acknowledge`, { body: {} })).status).toBe(409);
  const audited = await get("/api/v1/audit-logs?actions=alert.acknowledge,alert.resolve");
  expect(audited.json.data.length).toBeGreaterThanOrEqual(1);
});

it("measures each metric of 5.9", async () => {
  const { store, request, ruleId, chat } = await setUp({}, { enabled: false });
  await calls(store, 10, { durationMs: 100, costNanoUsd: 500_000_000 });
  await calls(store, 10, { durationMs: 900, failed: 5, provider: "q" });
  await chat({ body: { model: "nobody/x" } });
  const tried = async (change: Record<string, unknown>) => {
    const changed = await request("PATCH", `/api/v1/alert-rules/${ruleId}`, { body: change });
    expect(changed.status, changed.text).toBe(200);
    return (await request("POST", `/api/v1/alert-rules/${ruleId}/test`, { body: {} })).json as { value: number; fires: boolean };
  };
  const only = { filters: { names: ["m"], providers: null } };
  expect((await tried({ ...only, metric: "error_rate", threshold: 0.2 })).value).toBe(0.25);
  expect(await tried({ metric: "error_rate", filters: { providers: ["q"] }, threshold: 0.5, condition: "gte" })).toMatchObject({
    value: 0.5,
    fires: true,
  });
  expect((await tried({ ...only, metric: "latency_p50" })).value).toBe(100);
  expect((await tried({ ...only, metric: "latency_p95" })).value).toBe(900);
  expect((await tried({ ...only, metric: "request_rate", window_minutes: 10 })).value).toBe(2);
  expect((await tried({ ...only, metric: "cost_per_hour" })).value).toBeCloseTo(5);
  expect((await tried({ ...only, metric: "cost_per_day", condition: "lt", threshold: 6 })).fires).toBe(true);
  expect((await tried({ metric: "rate_limit_hit", filters: { names: null }, condition: "gt", threshold: 0 })).fires).toBe(false);
  expect((await tried({ metric: "injection_detected" })).value).toBe(0);
  expect((await tried({ metric: "budget_event" })).value).toBe(0);
  await pins(store, { a: "new", b: "changed", c: "rejected", d: "approved" });
  expect(await tried({ metric: "tools_waiting", condition: "gte", threshold: 2 })).toMatchObject({ value: 2, fires: true });
  expect((await tried({ metric: "tools_waiting", filters: { providers: ["other"] } })).value).toBe(0);
});

async function pins(store: RecordStore, tools: Readonly<Record<string, PinStatus>>): Promise<void> {
  const nothing = { digest: null, seenDigest: null, seenAtMs: null, itemId: null, decidedBy: null, decidedAtMs: null };
  const writes = Object.entries(tools).map(([tool, status]) => insert(toolPin, { id: tool, server: "box", tool, status, ...nothing }));
  await store.commit([{ scope, writes }], within());
}

it("never shows a channel's secret, and says what is wrong with a channel", async () => {
  const { get, request, channelId, hook } = await setUp();
  const shown = await get(`/api/v1/alert-channels/${channelId}`);
  expect(shown.text).not.toContain("whsec");
  expect(shown.json.secret).toEqual({ set: true });
  const tested = await request("POST", `/api/v1/alert-channels/${channelId}/test`, { body: {} });
  expect(tested.json).toMatchObject({ ok: true, error: null });
  expect(JSON.parse(hook.seen[0]!.body)).toMatchObject({ type: "alert.test" });
  const slack = await request("POST", "/api/v1/alert-channels", {
    body: { name: "s", kind: "slack", secret: `${hook.url}/services/T0/B0/secret-of-slack` },
  });
  expect((await request("POST", `/api/v1/alert-channels/${slack.json.id}/test`, { body: {} })).json.ok).toBe(true);
  expect(hook.seen[1]!.path).toBe("/services/T0/B0/secret-of-slack");
  expect(JSON.parse(hook.seen[1]!.body)).toMatchObject({ text: expect.stringContaining("test") as string });
  // What could never tell anybody anything is refused.
  for (const body of [
    { kind: "pagerduty" },
    { kind: "slack" },
    { kind: "webhook", secret: "x" },
    { kind: "email", settings: { to: ["a@example.com"] } },
  ])
    expect((await request("POST", "/api/v1/alert-channels", { body: { name: "n", ...body } })).status).toBe(400);
});

it("sends PagerDuty's routing key to no other address than it was given for, unless it is given again (P10)", async () => {
  const { request } = await setUp();
  const body = { name: "p", kind: "pagerduty", settings: {}, secret: "routing-key-of-a-test" };
  const { id } = (await request("POST", "/api/v1/alert-channels", { body })).json as { id: string };
  const moved = { settings: { url: "https://elsewhere.example/v2/enqueue" } };
  expect((await request("PATCH", `/api/v1/alert-channels/${id}`, { body: moved })).status).toBe(400);
  expect((await request("PATCH", `/api/v1/alert-channels/${id}`, { body: { ...moved, secret: "another-key" } })).status).toBe(200);
});

it("speaks PagerDuty's events, one incident an alert", async () => {
  const pagerduty = await receiver();
  const { store } = await setUp(
    {},
    {},
    { kind: "pagerduty", settings: { url: `${pagerduty.url}/v2/enqueue` }, secret: "routing-key-of-a-test" },
  );
  await calls(store, 2, { failed: 2 });
  await soon(() => pagerduty.seen.length === 1);
  const fired = JSON.parse(pagerduty.seen[0]!.body) as { dedup_key: string };
  expect(fired).toMatchObject({
    routing_key: "routing-key-of-a-test",
    event_action: "trigger",
    payload: { severity: "critical", source: "sallyport" },
  });
  await resolveAll(store);
  await calls(store, 2);
  await soon(() => pagerduty.seen.length === 2);
  expect(JSON.parse(pagerduty.seen[1]!.body)).toMatchObject({ event_action: "resolve", dedup_key: fired.dedup_key });
});

it("does not dial private addresses unless the operator says so (SSRF)", async () => {
  const { request, channelId, hook } = await setUp({ telemetry: { alerts: { allowPrivate: false } } });
  const { json } = await request("POST", `/api/v1/alert-channels/${channelId}/test`, { body: {} });
  expect(json).toMatchObject({ ok: false, error: expect.stringContaining("address_refused") as string });
  expect(hook.seen).toHaveLength(0);
});

it("sends e-mail by a real SMTP server, with a subject of one line", async () => {
  const mails: string[] = [];
  const { SMTPServer } = createRequire(import.meta.url)("smtp-server") as { SMTPServer: new (o: object) => Smtp };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream: NodeJS.ReadableStream, _session: unknown, done: () => void) {
      let mail = "";
      stream.on("data", (chunk: Buffer) => (mail += chunk.toString()));
      stream.on("end", () => (mails.push(mail), done()));
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = server.server.address() as AddressInfo;
  const smtp = { host: "127.0.0.1", port, from: "alerts@example.com" };
  const { store } = await setUp(
    { telemetry: { alerts: { everySeconds: 1, smtp } } },
    { name: "errors\r\nBcc: everybody@example.com" },
    { kind: "email", settings: { to: ["ops@example.com"] }, secret: null },
  );
  await calls(store, 2, { failed: 2 });
  const mail = await soon(() => mails[0]);
  expect(mail).toMatch(/^Subject: \[critical\] errors Bcc: everybody@example.com/m);
  expect(mail).not.toMatch(/^Bcc:/m);
  expect(mail).toContain("To: ops@example.com");
});

interface Smtp {
  readonly server: { address(): unknown };
  listen(port: number, host: string, done: () => void): void;
  close(done: () => void): void;
}
