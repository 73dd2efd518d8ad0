import { expect, it } from "vitest";
import { soon, watched } from "./harness.js";
import { otlpReceiver } from "./otlp-receiver.js";

it("sends spans to Langfuse, as its variables say, with its own processor", async () => {
  const otlp = await otlpReceiver();
  const variables = { LANGFUSE_PUBLIC_KEY: "pk-lf-test", LANGFUSE_SECRET_KEY: "sk-lf-secret-of-a-test", LANGFUSE_HOST: otlp.url };
  const { gateway, chat } = await watched({ env: variables });
  await chat({ headers: { "x-request-id": "req_langfuse" } });
  await gateway.close({ graceMs: 0 });
  const call = await soon(() => otlp.spans().find(({ name }) => name === "chat demo/echo"));
  expect(call.attributes).toMatchObject({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "demo/echo",
    "sallyport.request.id": "req_langfuse",
  });
  const [post] = otlp.seen;
  expect(post!.path).toBe("/api/public/otel/v1/traces");
  expect(post!.headers.authorization).toBe(`Basic ${Buffer.from("pk-lf-test:sk-lf-secret-of-a-test").toString("base64")}`);
  expect(JSON.stringify(otlp.seen.map(({ body }) => body))).not.toContain("sk-lf-secret");
});

it("does not hold up the gateway when Langfuse is away", async () => {
  const { gateway, chat } = await watched({
    telemetry: { langfuse: { publicKey: "pk", secretKey: "sk-lf-of-a-server-that-is-away", baseUrl: "http://127.0.0.1:9" } },
  });
  expect((await chat()).status).toBe(200);
  await gateway.close({ graceMs: 0 });
});
