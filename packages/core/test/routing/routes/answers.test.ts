import { describe, expect, it, onTestFinished } from "vitest";
import type { Gateway } from "../../../src/index.js";
import { GatewayError } from "../../../src/errors/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../../src/testing/index.js";

/** A gateway whose providers `a` and `b` are both down. */
async function outage(): Promise<Gateway> {
  const gateway = await createTestGateway();
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  const answer = () => {
    throw new GatewayError("upstream_unavailable", "It is down.");
  };
  for (const name of ["a", "b"]) gateway.providers.add({ name, models: ["m"], answer });
  await gateway.routes.add("r", { targets: [{ model: "a/m" }, { model: "b/m" }] });
  return gateway;
}
const messages = [{ role: "user", content: "hello" }];
const faces = [
  ["OpenAI", "/v1/chat/completions", (model: string) => ({ model, messages })],
  ["Anthropic", "/v1/messages", (model: string) => ({ model, messages, max_tokens: 10 })],
  ["Google", "/v1beta/models/MODEL:generateContent", () => ({ contents: [{ role: "user", parts: [{ text: "hello" }] }] })],
] as const;

describe.each(faces)("the face of %s", (_name, path, body) => {
  const ask = (gateway: Gateway, model: string) =>
    gateway.fetch(
      new Request(`http://localhost${path.replace("MODEL", model)}`, {
        ...{ method: "POST", body: JSON.stringify(body(model)) },
        headers: { "content-type": "application/json", authorization: `Bearer ${TEST_OWNER_KEY}`, "anthropic-version": "2023-06-01" },
      }),
    );

  // Case 104
  it("keeps an SDK from repeating what was repeated here, and says who was asked", async () => {
    const answer = await ask(await outage(), "route/r");
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...{ "x-should-retry": "false", "x-sallyport-attempts": "2", "x-sallyport-provider": "b", "x-sallyport-model": "b/m" },
      "x-sallyport-request-id": expect.stringMatching(/^req_/),
    });
  });

  it("leaves it to the SDK to repeat what was asked once", async () => {
    const answer = await ask(await outage(), "a/m");
    expect([answer.headers.get("x-should-retry"), answer.headers.get("x-sallyport-attempts")]).toEqual([null, "1"]);
  });

  it("says who answered, after how many attempts and at what cost", async () => {
    const gateway = await outage();
    await gateway.routes.update("r", { targets: [{ model: "a/m" }, { model: "demo/echo" }] });
    const answer = await ask(gateway, "route/r");
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...{ "x-sallyport-attempts": "2", "x-sallyport-provider": "demo", "x-sallyport-model": "demo/echo", "x-sallyport-cost-usd": "0" },
    });
  });

  it("keeps what a caller calls a session at its target", async () => {
    const gateway = await outage();
    for (const name of ["c", "d", "e"]) gateway.providers.add({ name, models: ["m"], answer: echo(name) });
    await gateway.routes.add("spread", {
      strategy: "weighted",
      targets: ["c", "d", "e"].map((name) => ({ model: `${name}/m` })),
      sticky: "session",
    });
    const asked = async (session: string) => {
      const answer = await gateway.fetch(
        new Request(`http://localhost${path.replace("MODEL", "route/spread")}`, {
          ...{ method: "POST", body: JSON.stringify(body("route/spread")) },
          headers: {
            "content-type": "application/json",
            "x-api-key": TEST_OWNER_KEY,
            "anthropic-version": "2023-06-01",
            "x-session-id": session,
          },
        }),
      );
      return answer.headers.get("x-sallyport-provider");
    };
    const seen = new Set<string | null>();
    for (let i = 0; i < 12; i++) {
      const first = await asked(`session ${i}`);
      expect(await asked(`session ${i}`)).toBe(first);
      expect(gateway.routes.explain("spread", { sessionId: `session ${i}` }).targets[0]!.model).toBe(`${first}/m`);
      seen.add(first);
    }
    expect(seen.size).toBe(3);
  });
});

function echo(text: string) {
  return async function* () {
    yield { type: "start", id: "a", model: "m", createdAtMs: 0 } as const;
    yield { type: "text-start", index: 0, block: 0 } as const;
    yield { type: "text-delta", index: 0, block: 0, text } as const;
    yield { type: "text-end", index: 0, block: 0 } as const;
    yield { type: "finish", index: 0, reason: "stop" } as const;
    yield { type: "usage", usage: { inputTokens: 1, outputTokens: 1 } } as const;
  };
}
