import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Gateway } from "@sallyport/core";
import { createTestGateway, TEST_OWNER_KEY } from "@sallyport/core/testing";
import { onTestFinished } from "vitest";

export type Options = NonNullable<Parameters<typeof createTestGateway>[0]>;

/** An OpenAI-shaped vendor that counts what it is asked and numbers its answers. `answerMs`: how long the nth takes. */
export async function vendor(o: { readonly answerMs?: (n: number) => number } = {}) {
  let hits = 0;
  const server = createServer((incoming, answer) => {
    incoming.resume();
    incoming.on("end", () => {
      const n = ++hits;
      setTimeout(() => {
        answer.writeHead(200, { "content-type": "application/json" }).end(
          JSON.stringify({
            ...{ id: `chatcmpl-${n}`, object: "chat.completion", created: 1_700_000_000, model: "theirs" },
            choices: [{ index: 0, message: { role: "assistant", content: `answer ${n}` }, finish_reason: "stop" }],
            usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
          }),
        );
      }, o.answerMs?.(n) ?? 0);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { hits: () => hits, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

/** Gateways with one secret, as processes of one operator have it. Who calls is one key for all of them. */
export async function gateway(options: Options = {}): Promise<Gateway> {
  const made = await createTestGateway({
    secret: createHash("sha256").update("of all processes").digest(),
    auth: () => ({ kind: "key", id: "one", keyId: "one", name: "one", projects: ["default"], grants: ["*"] }),
    ...options,
  });
  onTestFinished(() => made.close());
  return made;
}

/** One chat over the gateway's HTTP face, without a socket. */
export async function chat(of: Gateway, o: { readonly model?: string; readonly who?: string } = {}) {
  const body = JSON.stringify({ model: o.model ?? "demo/echo", messages: [{ role: "user", content: "hello" }] });
  const response = await of.fetch(
    new Request("http://localhost/v1/chat/completions", {
      method: "POST",
      body,
      headers: { "content-type": "application/json", "x-who": o.who ?? "one" },
    }),
  );
  const text = await response.text();
  const { choices } = JSON.parse(text) as { choices?: { message: { content: string } }[] };
  return { status: response.status, cache: response.headers.get("x-sallyport-cache"), text: choices?.[0]?.message.content ?? text };
}

/** What an open path of the gateway answers. */
export async function get(of: Gateway, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await of.fetch(new Request(`http://localhost${path}`, { headers: { authorization: `Bearer ${TEST_OWNER_KEY}` } }));
  return { status: response.status, text: await response.text() };
}
