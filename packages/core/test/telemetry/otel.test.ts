import { createRequire } from "node:module";
import { metrics, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { expect, it, onTestFinished } from "vitest";
import { traceSpan } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import { ATTR, METRIC } from "../../src/telemetry/otel/conventions.js";
import { receiver, scope, soon, watched, within } from "./harness.js";
import { otlpReceiver } from "./otlp-receiver.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const traceparent = `00-${TRACE}-${PARENT}-01`;

/** A gateway whose spans go by the real SDK and OTLP over HTTP to a receiver on loopback. */
async function traced(options: GatewayOptions = {}) {
  const otlp = await otlpReceiver();
  const provider = new NodeTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${otlp.url}/v1/traces` }))],
  });
  onTestFinished(() => provider.shutdown());
  const gateway = await watched({ otel: { tracer: provider.getTracer("test") }, ...options });
  return { ...gateway, otlp };
}

it("holds the names of the conventions against the package that has them (1.45.0)", () => {
  const known = new Set(
    Object.values(createRequire(import.meta.url)("@opentelemetry/semantic-conventions/incubating") as Record<string, unknown>),
  );
  for (const name of [...Object.values(ATTR), ...Object.values(METRIC)]) expect(known, name).toContain(name);
});

it("sends a span of the request and one of the model call to an OTLP receiver, as part of the caller's trace", async () => {
  const { chat, otlp } = await traced();
  await chat({ headers: { traceparent, "x-request-id": "req_otel", "x-sallyport-purpose": "a test" } });
  const spans = await soon(() => otlp.spans().length === 2 && otlp.spans());
  const request = spans.find(({ name }) => name === "POST")!;
  const call = spans.find(({ name }) => name === "chat demo/echo")!;
  expect(request).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, kind: 2 });
  expect(request.attributes).toMatchObject({ "http.response.status_code": 200, "sallyport.request.id": "req_otel" });
  expect(call).toMatchObject({ traceId: TRACE, parentSpanId: request.spanId, kind: 3 });
  expect(call.attributes).toMatchObject({
    ...{
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "demo",
      "gen_ai.request.model": "demo/echo",
      "gen_ai.response.model": "echo",
    },
    ...{ "sallyport.attempts": 1, "sallyport.purpose": "a test", "sallyport.status": 200 },
  });
  expect(call.attributes["gen_ai.usage.input_tokens"]).toBeGreaterThan(0);
  expect(call.attributes["gen_ai.usage.output_tokens"]).toBeGreaterThan(0);
  expect(call.endMs).toBeGreaterThanOrEqual(call.startMs);
  // What was said is not told.
  expect(JSON.stringify(otlp.seen)).not.toContain("gen_ai.input.messages");
});

it("says when a stream began, and what a call failed with", async () => {
  const { chat, otlp } = await traced();
  await chat({ body: { stream: true } });
  await chat({ body: { model: "nobody/nothing" } });
  const spans = await soon(() => otlp.spans().length === 4 && otlp.spans());
  const [stream, failed] = [
    spans.find(({ name }) => name === "chat demo/echo")!,
    spans.find(({ name }) => name === "chat nobody/nothing")!,
  ];
  expect(stream.attributes["gen_ai.response.time_to_first_chunk"]).toBeGreaterThanOrEqual(0);
  expect(stream.attributes["gen_ai.request.stream"]).toBe(true);
  expect(failed.attributes["error.type"]).toBe("model_not_found");
  expect(failed.status.code).toBe(2);
});

it("gives each attempt of a call that needed several a span of its own", async () => {
  const { gateway, chat, otlp } = await traced();
  gateway.providers.add({
    name: "broken",
    models: ["m"],
    // oxlint-disable-next-line require-yield -- it never says anything
    answer: async function* () {
      throw new GatewayError("upstream_unavailable", "It is down.");
    },
  });
  await gateway.routes.add("r", { targets: [{ model: "broken/m" }, { model: "demo/echo" }] });
  await chat({ body: { model: "route/r" } });
  const spans = await soon(() => otlp.spans().some(({ name }) => name.startsWith("chat")) && otlp.spans());
  const call = spans.find(({ name }) => name.startsWith("chat"))!;
  const attempts = spans.filter(({ parentSpanId }) => parentSpanId === call.spanId);
  expect(attempts.length).toBeGreaterThanOrEqual(2);
  expect(attempts[0]!.attributes).toMatchObject({ "gen_ai.provider.name": "broken", "error.type": "upstream_unavailable" });
  for (const attempt of attempts) expect(attempt.endMs).toBeLessThanOrEqual(call.endMs + 1);
});

it("puts the calls of a run under the run's span", async () => {
  const { gateway, otlp } = await traced();
  await gateway.run({ model: "demo/echo", input: "hi" });
  const spans = await soon(() => otlp.spans().some(({ name }) => name === "invoke_agent") && otlp.spans().length >= 2 && otlp.spans());
  const run = spans.find(({ name }) => name === "invoke_agent")!;
  const call = spans.find(({ name }) => name === "chat demo/echo")!;
  expect(call.parentSpanId).toBe(run.spanId);
  expect(run.attributes).toMatchObject({ "gen_ai.operation.name": "invoke_agent", "sallyport.status": "succeeded" });
});

it("hands the trace on to vendors only when told to, with our own span as the parent", async () => {
  const asked = async (vendors: boolean) => {
    const vendor = await receiver();
    const { chat, otlp } = await traced({
      telemetry: { propagate: { vendors } },
      providers: { v: { vendor: "openai-compatible", baseUrl: `${vendor.url}/v1`, models: ["m"] } },
    });
    await chat({ body: { model: "v/m" }, headers: { traceparent, tracestate: "other=1" } });
    const call = await soon(() => otlp.spans().find(({ name }) => name === "chat v/m"));
    return { headers: vendor.seen[0]!.headers, call };
  };
  const silent = await asked(false);
  expect(silent.headers["traceparent"]).toBeUndefined();
  const told = await asked(true);
  expect(told.headers["traceparent"]).toBe(`00-${TRACE}-${told.call.spanId}-01`);
  expect(told.headers["tracestate"]).toBe("other=1");
});

it("takes the trace of MCP from _meta, and hands its own span on in _meta and as a header", async () => {
  const server = await mcpServer();
  const { request, otlp, store } = await traced({ mcpServers: { s: { url: server.url } } });
  await request("POST", "/mcp", {
    body: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "s__t", arguments: {}, _meta: { traceparent } } },
    headers: { accept: "application/json, text/event-stream" },
  });
  const call = await soon(() => otlp.spans().find(({ name }) => name === "tools/call s__t"));
  expect(call).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
  expect(call.attributes).toMatchObject({
    "mcp.method.name": "tools/call",
    "gen_ai.tool.name": "t",
    "gen_ai.operation.name": "execute_tool",
  });
  const called = server.seen.find(({ body }) => body.includes('"tools/call"'))!;
  const own = `00-${TRACE}-${call.spanId}-01`;
  expect((JSON.parse(called.body) as { params: { _meta: object } }).params._meta).toMatchObject({ traceparent: own });
  expect(called.headers["traceparent"]).toBe(own);
  const rows = await soon(async () => {
    const found = (await store.find(traceSpan, { orderBy: "atMs", limit: 10 }, scope, within())).rows;
    return found.length === 1 && found;
  });
  expect(rows[0]).toMatchObject({ traceId: TRACE, spanId: call.spanId, kind: "call" });
});

it("shows content only when told to, without secrets (T26)", async () => {
  const canary = "canary-of-a-prompt-5f4e3d2c1b";
  const { chat, otlp } = await traced({ telemetry: { otel: { content: true } }, providers: { openai: { apiKey: canary } } });
  await chat({ body: { messages: [{ role: "user", content: `my key is ${canary}, and my name is Ada` }] } });
  const call = await soon(() => otlp.spans().find(({ name }) => name === "chat demo/echo"));
  expect(call.attributes["gen_ai.input.messages"]).toContain("my name is Ada");
  expect(call.attributes["gen_ai.output.messages"]).toContain("my name is Ada");
  expect(call.attributes["gen_ai.response.finish_reasons"]).toEqual(["stop"]);
  expect(JSON.stringify(otlp.seen)).not.toContain(canary);
});

it("records the conventions' metrics, with names that callers cannot make up", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const { chat } = await watched({ otel: { meter: provider.getMeter("test") } });
  await chat({ body: { stream: true } });
  await chat({ body: { model: "demo/made-up-by-a-caller" } });
  await reader.forceFlush();
  const found = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics));
  const named = (name: string) => found.find(({ descriptor }) => descriptor.name === name)!;
  expect(named("gen_ai.client.operation.duration").descriptor.unit).toBe("s");
  expect(named("gen_ai.client.operation.duration").dataPoints).toHaveLength(2);
  expect(named("gen_ai.client.operation.time_to_first_chunk").dataPoints).toHaveLength(1);
  const types = named("gen_ai.client.token.usage").dataPoints.map(({ attributes }) => attributes["gen_ai.token.type"]);
  expect(new Set(types)).toEqual(new Set(["input", "output"]));
  expect(JSON.stringify(found)).not.toContain("made-up-by-a-caller");
});

it("uses what the program registered when telemetry.otel is on, and nothing of it when it is off", async () => {
  const otlp = await otlpReceiver();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: otlp.url }))] });
  provider.register();
  onTestFinished(async () => {
    trace.disable();
    metrics.disable();
    await provider.shutdown();
  });
  const off = await watched();
  await off.chat();
  const on = await watched({ telemetry: { otel: { enabled: true } } });
  await trace.getTracer("the program").startActiveSpan("the program's own", async (span) => {
    await on.chat();
    span.end();
  });
  const spans = await soon(() => otlp.spans().length >= 3 && otlp.spans());
  expect(spans.map(({ name }) => name).sort()).toEqual(["POST", "chat demo/echo", "the program's own"]);
  const own = spans.find(({ name }) => name === "the program's own")!;
  expect(spans.find(({ name }) => name === "POST")!.parentSpanId).toBe(own.spanId);
});

/** The least that is an MCP server over HTTP, with one tool. */
async function mcpServer() {
  const { createServer } = await import("node:http");
  const seen: { headers: Record<string, string | string[] | undefined>; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ headers: request.headers, body });
      const message = (body === "" ? {} : JSON.parse(body)) as { id?: number; method?: string };
      const result = {
        initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } },
        "tools/list": { tools: [{ name: "t", inputSchema: { type: "object" } }] },
        "tools/call": { content: [{ type: "text", text: "done" }] },
      }[message.method ?? ""];
      if (message.id === undefined) return void response.writeHead(request.method === "POST" ? 202 : 405).end();
      const answer = result === undefined ? { error: { code: -32601, message: "unknown" } } : { result };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id: message.id, ...answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/mcp`, seen };
}
