import { expect, it } from "vitest";
import { soon, watched } from "./harness.js";

/** Every sample of a metric, by its labels as they stand. */
function samples(text: string, name: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line);
    if (match?.[1] === name) found.set(match[2] ?? "", Number(match[3]));
  }
  return found;
}
const total = (text: string, name: string, has = ""): number =>
  [...samples(text, name)].filter(([labels]) => labels.includes(has)).reduce((sum, [, value]) => sum + value, 0);

it("counts calls, time, tokens and failures, as Prometheus reads them", async () => {
  const gateway = await watched();
  await gateway.chat();
  await gateway.chat({ body: { stream: true } });
  await gateway.chat({ body: { model: "demo/nothing-of-the-kind" } });
  const answer = await soon(async () => {
    const scraped = await gateway.get("/metrics");
    return total(scraped.text, "sallyport_calls_total") === 3 && scraped;
  });
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const { text } = answer;
  expect(total(text, "sallyport_calls_total", 'status="200"')).toBe(2);
  expect(total(text, "sallyport_calls_total", 'model="echo"')).toBe(2);
  expect(total(text, "sallyport_call_failures_total", 'code="model_not_found"')).toBe(1);
  expect(total(text, "sallyport_call_duration_seconds_count")).toBe(3);
  expect(total(text, "sallyport_call_duration_seconds_bucket", 'le="+Inf"')).toBe(3);
  expect(total(text, "sallyport_time_to_first_token_seconds_count")).toBe(1);
  expect(total(text, "sallyport_tokens_total", 'type="output"')).toBeGreaterThan(0);
  expect(total(text, "sallyport_attempts_total", 'model="echo"')).toBe(2);
  expect(total(text, "sallyport_mcp_servers", 'state="connected"')).toBe(1);
  expect(samples(text, "sallyport_ledger_queue").size).toBe(1);
  expect(text).toContain("nodejs_eventloop_lag_seconds");
});

it("is closed to who may not read it, and open when the operator says so", async () => {
  const closed = await watched();
  expect((await closed.get("/metrics", "nobody-of-this-gateway-0123456789")).status).toBe(401);
  const open = await watched({ telemetry: { metrics: { open: true } } });
  const response = await open.gateway.fetch(new Request("http://localhost/metrics"));
  expect(response.status).toBe(200);
  const off = await watched({ telemetry: { metrics: { enabled: false } } });
  expect((await off.get("/metrics")).status).toBe(404);
});

it("has no label that a caller makes up (T26), and does not grow with what callers send", async () => {
  const gateway = await watched();
  const canary = "sk-canary-in-a-model-name";
  for (let i = 0; i < 50; i++) await gateway.chat({ body: { model: `demo/${canary}-${i}` } });
  for (let i = 0; i < 50; i++) await gateway.chat({ body: { model: `${canary}-${i}/x`, user: canary } });
  const { text } = await gateway.get("/metrics");
  expect(total(text, "sallyport_calls_total")).toBe(100);
  expect(text).not.toContain("canary");
  expect(samples(text, "sallyport_calls_total").size).toBeLessThan(5);
});

it("counts two gateways of one process apart (F94)", async () => {
  const [one, other] = [await watched(), await watched()];
  await one.chat();
  await soon(async () => total((await one.get("/metrics")).text, "sallyport_calls_total") === 1);
  expect(total((await other.get("/metrics")).text, "sallyport_calls_total")).toBe(0);
});
