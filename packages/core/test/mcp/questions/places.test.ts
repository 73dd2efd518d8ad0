import { describe, expect, it, onTestFinished } from "vitest";
import type { McpServerInput } from "../../../src/mcp/index.js";
import { createTestGateway } from "../../../src/testing/index.js";
import { hosted, modern, proxyHarness } from "../proxy-harness.js";
import { oldHttpStory } from "../servers/http-story.js";
import { answers, everything, oldClient } from "./asked-clients.js";
import { oldAsking } from "./asking-servers.js";
import { parked, rawCall } from "./raw-calls.js";

const strict = { resilience: { maxConcurrent: 1, maxQueued: 0 } };
const servers: readonly [string, (o?: object) => Promise<McpServerInput>][] = [
  ["over HTTP", async (o) => ({ url: (await oldHttpStory({ make: () => oldAsking() })).url, ...o })],
  ["on a wire", (o) => Promise.resolve({ server: () => oldAsking(), ...o })],
];

async function place(input: McpServerInput) {
  const harness = proxyHarness();
  await harness.proxy.connect("asking", input);
  const { url } = await hosted(harness);
  const state = () => harness.proxy.status().find(({ name }) => name === "asking")!;
  return { harness, url, state };
}
const given = (key: string) => ({ [key]: answers.form });

describe.each(servers)("a question %s that waits for a person", (_where, server) => {
  it("takes no place at the server, be the client of 2026-07-28 or asked in its session", async () => {
    const { url, state } = await place(await server(strict));
    const { state: first, key } = await parked(url, { args: { n: 1 } });
    expect(state()).toMatchObject({ inFlight: 0, queued: 0 });
    let answer: () => void = () => undefined;
    const thinking = new Promise<void>((resolve) => (answer = resolve));
    const client = await oldClient(url, { answer: async () => (await thinking, answers.form) });
    const called = client.call("asking__form");
    await expect.poll(() => client.got.length).toBe(1);
    await expect.poll(() => state().inFlight).toBe(0);
    const second = await parked(url, { args: { n: 2 } });
    for (const { n, state: carried, key: asked } of [
      { n: 1, state: first, key },
      { n: 2, ...second },
    ])
      expect((await rawCall(url, { args: { n }, state: carried, responses: given(asked) })).result?.resultType).toBe("complete");
    answer();
    expect(JSON.parse((await called).content[0]!.text)).toEqual(answers.form);
    expect(state()).toMatchObject({ inFlight: 0, queued: 0, breaker: "closed" });
  });

  it("is not on the server's own time, and is no failure of it", async () => {
    const resilience = { breaker: { failures: 1 } };
    const { url, state } = await place(await server({ callTimeoutMs: 2_000, resilience }));
    const { state: carried, key } = await parked(url);
    const asked = Date.now();
    await expect.poll(() => Date.now() - asked, { interval: 100 }).toBeGreaterThan(2_500);
    expect((await rawCall(url, { state: carried, responses: given(key) })).result?.resultType).toBe("complete");
    // What the server itself takes too long for still is.
    const { state: slow, key: other } = await parked(url, { name: "asking__linger" });
    const late = await rawCall(url, { name: "asking__linger", state: slow, responses: given(other) });
    expect(late.error?.data.code).toBe("upstream_timeout");
    expect(state().breaker).toBe("open");
  });
});

it("as many persons as there are may think at once, each with a call of its own", async () => {
  const { url } = await place(await servers[0]![1]());
  await Promise.all(Array.from({ length: 70 }, (_, i) => parked(url, { bearer: `caller-${i}` })));
});

it("a call that waits holds no slot of its caller's limits", async () => {
  const gateway = await createTestGateway({
    limits: { perKey: { concurrency: 1 } },
    auth: () => ({ kind: "key", id: "ada", keyId: "ada", name: "ada", projects: ["default"], grants: ["*"] }),
  });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  await gateway.mcp.connect("asking", { server: () => oldAsking() });
  const call = async (n: number, more: object = {}) => {
    const _meta = { "io.modelcontextprotocol/clientCapabilities": everything };
    const { message, headers } = modern("tools/call", { name: "asking__form", arguments: { n }, ...more, _meta });
    const body = JSON.stringify(message);
    const request = new Request("http://localhost/mcp", { method: "POST", headers: { ...headers, accept: "application/json" }, body });
    request.headers.set("content-type", "application/json");
    return (await (await gateway.fetch(request)).json()) as {
      result?: { resultType: string; requestState: string; inputRequests: object };
    };
  };
  const [one, two] = [await call(1), await call(2)];
  for (const [n, { result }] of [one, two].entries()) {
    expect(result?.resultType).toBe("input_required");
    const inputResponses = given(Object.keys(result!.inputRequests)[0]!);
    const done = await call(n + 1, { requestState: result!.requestState, inputResponses });
    expect(done.result?.resultType).toBe("complete");
  }
});
