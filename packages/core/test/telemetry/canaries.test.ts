import { Writable } from "node:stream";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import pino from "pino";
import { expect, it, onTestFinished } from "vitest";
import { allEntities, type AnyEntity } from "../../src/entities/index.js";
import { TEST_OWNER_KEY } from "../../src/testing/index.js";
import { receiver, scope, soon, watched, within } from "./harness.js";
import { otlpReceiver } from "./otlp-receiver.js";

/** A secret in the forms in which it might slip through. */
const forms = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString("hex"),
  Buffer.from(secret).toString("base64").replace(/=+$/, ""),
  secret.slice(0, Math.ceil(secret.length / 2)),
];

it("leaves no secret in logs, spans, counts, traces, the audit or any table, however calls fail (T26)", async () => {
  const secrets = {
    providerKey: "canary-provider-key-aa11bb22",
    header: "canary-header-value-cc33dd44",
    serverHeader: "canary-mcp-header-ee55ff66",
    langfuse: "canary-langfuse-key-gg77hh88",
    smtp: "canary-smtp-password-ii99jj00",
    channel: "canary-channel-secret-kk12ll34",
    owner: TEST_OWNER_KEY,
  };
  const lines: string[] = [];
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(chunk.toString()), done()) });
  const otlp = await otlpReceiver();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: otlp.url }))] });
  onTestFinished(() => provider.shutdown());
  // A vendor and a channel that answer with what they were sent, as bad ones do.
  const vendor = await receiver((n) => [401, 429, 500, 404, 400][n % 5]!);
  const hook = await receiver(() => 500);
  const gateway = await watched({
    log: pino({ level: "trace" }, stream),
    logging: { level: "debug" },
    otel: { tracer: provider.getTracer("t") },
    audit: { parameters: "redacted" },
    telemetry: {
      otel: { content: true },
      alerts: {
        everySeconds: 1,
        allowPrivate: true,
        smtp: { host: "127.0.0.1", port: 9, user: "u", password: secrets.smtp, from: "a@example.com" },
      },
      langfuse: { publicKey: "pk", secretKey: secrets.langfuse, baseUrl: otlp.url },
    },
    providers: {
      v: {
        vendor: "openai-compatible",
        baseUrl: vendor.url,
        apiKey: secrets.providerKey,
        headers: { "x-more": secrets.header },
        models: ["m"],
      },
    },
    mcpServers: { s: { url: `${vendor.url}/mcp`, headers: { authorization: `Bearer ${secrets.serverHeader}` } } },
  });
  const channels = [];
  for (const body of [
    { name: "hook", kind: "webhook", settings: { url: hook.url }, secret: secrets.channel },
    { name: "slack", kind: "slack", secret: `${hook.url}/${secrets.channel}` },
    { name: "mail", kind: "email", settings: { to: ["a@example.com"] } },
  ]) {
    const made = await gateway.request("POST", "/api/v1/alert-channels", { body });
    expect(made.status, made.text).toBe(201);
    channels.push(made);
  }
  const answers: string[] = channels.map(({ text }) => text);
  for (const { json } of channels)
    answers.push((await gateway.request("POST", `/api/v1/alert-channels/${json.id}/test`, { body: {} })).text);
  // A gateway's own keys are known as digests alone: that they are in no sink is because nobody writes headers.
  const said = Object.entries(secrets)
    .flatMap(([name, secret]) => (name === "owner" ? [] : [secret]))
    .join(" ");
  for (let i = 0; i < 20; i++) {
    const model = ["v/m", "v/nothing", "demo/echo", `nobody/${said}`][i % 4]!;
    answers.push(
      (await gateway.chat({ body: { model, stream: i % 3 === 0, user: `u${i}` }, headers: { "x-sallyport-purpose": said } })).text,
    );
    const call = {
      jsonrpc: "2.0",
      id: i,
      method: "tools/call",
      params: { name: ["s__t", "demo__add", "nobody__x"][i % 3], arguments: { note: said, token: "whatever-it-is" } },
    };
    answers.push((await gateway.request("POST", "/mcp", { body: call, headers: { accept: "application/json, text/event-stream" } })).text);
  }
  await soon(async () => (await gateway.get("/api/v1/audit-logs?limit=200")).json.data.length >= 30);
  for (const path of [
    "/metrics",
    "/api/v1/audit-logs?limit=200",
    "/api/v1/audit-logs/export?format=csv",
    "/api/v1/traces?limit=200",
    "/v1/metrics/top-servers",
  ])
    answers.push((await gateway.get(path)).text);
  await gateway.gateway.close({ graceMs: 0 });
  const tables: string[] = [];
  for (const entity of allEntities) {
    if (entity.kind === "log") continue;
    const { rows } = await gateway.store.find(entity as AnyEntity, { orderBy: "id" as never, limit: 1_000 }, scope, within());
    tables.push(JSON.stringify(rows));
  }
  const sinks = { answers, lines, tables, spans: otlp.seen.map(({ body }) => body) };
  for (const [sink, texts] of Object.entries(sinks))
    for (const [name, secret] of Object.entries(secrets))
      for (const form of forms(secret))
        for (const text of texts) {
          const at = text.indexOf(form);
          if (at >= 0) expect.fail(`${name} in ${sink}: …${text.slice(Math.max(0, at - 120), at + 60)}…`);
        }
  expect(otlp.spans().length).toBeGreaterThan(20);
  expect(lines.length).toBeGreaterThan(5);
});
