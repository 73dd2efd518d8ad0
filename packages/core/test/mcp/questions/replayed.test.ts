import { UrlElicitationRequiredError } from "@modelcontextprotocol/sdk/types.js";
import { McpServer as OldServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { expect, it } from "vitest";
import { hosted, proxyHarness } from "../proxy-harness.js";
import { newHttpStory, oldHttpStory } from "../servers/http-story.js";
import { answers } from "./asked-clients.js";
import { asked, newAsking, oldAsking } from "./asking-servers.js";
import { parked, rawCall, type RawCall } from "./raw-calls.js";
import { twoProcesses } from "./two-processes.js";

/** It wants a page to be visited before it is called again. */
function pages(begun: string[], visits: string[]): OldServer {
  const server = new OldServer({ name: "pages", version: "1" }, { capabilities: { tools: {} } });
  server.registerTool("form", {}, () => {
    if (visits.length > 0) {
      begun.push("form");
      return { content: [{ type: "text", text: "in" }] };
    }
    visits.push("told");
    throw new UrlElicitationRequiredError([{ mode: "url", message: asked.url.message, url: asked.url.url, elicitationId: "e1" }]);
  });
  return server;
}

/** The three kinds of state that a client of 2026-07-28 carries, each with a server that makes them. */
const kinds: readonly [string, (begun: string[]) => Promise<string>][] = [
  ["that leads to a call which is kept", async (begun) => (await oldHttpStory({ make: () => oldAsking({ begun }) })).url],
  ["that holds a server's own", async (begun) => (await newHttpStory("reject", () => newAsking({ begun }))).url],
  [
    "that allows one more call",
    async (begun) => {
      const visits: string[] = [];
      return (await oldHttpStory({ make: () => pages(begun, visits) })).url;
    },
  ],
];

it.each(kinds)("a state %s is of use once, for whoever it was given to, at one process (T45)", async (_kind, open) => {
  const begun: string[] = [];
  const { a, b, used, rows } = await twoProcesses({ url: await open(begun) });
  const { state, key } = await parked(a.url, { bearer: "ada" });
  const come = (url: URL, more: RawCall = {}) => rawCall(url, { bearer: "ada", state, responses: { [key]: answers.form }, ...more });
  for (const { url } of [a, b]) expect((await come(url, { bearer: "eve" })).error?.code).toBe(-32602);
  // Nothing of that used it up.
  expect(await used()).toEqual([]);
  const all = await Promise.all([b, a, b, a].map(({ url }, id) => come(url, { id })));
  expect(all.filter(({ result }) => result?.resultType === "complete")).toHaveLength(1);
  const later = await Promise.all([a, b].map(({ url }) => come(url)));
  for (const { error } of [...all, ...later].filter((one) => one.error !== undefined))
    expect(error).toMatchObject({ code: -32602, data: { code: "validation_failed", details: { reason: "request_state_used" } } });
  expect(later.every(({ error }) => error !== undefined)).toBe(true);
  expect((await come(b.url, { bearer: "eve" })).error?.data.details?.reason).toBeUndefined();
  expect(begun.filter((name) => name === "form")).toHaveLength(1);
  expect(await rows()).toEqual([]);
});

it("a state is of use again when its call came to nothing on the way", async () => {
  const begun: string[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const harness = proxyHarness();
  const { url: server } = await newHttpStory("reject", () => newAsking({ begun, held }));
  await harness.proxy.connect("asking", { url: server, resilience: { maxConcurrent: 1, maxQueued: 0 } });
  const { url } = await hosted(harness);
  const { state, key } = await parked(url);
  const holding = rawCall(url, { name: "asking__hold" });
  await expect.poll(() => begun, { timeout: 30_000 }).toEqual(["hold"]);
  const come = () => rawCall(url, { state, responses: { [key]: answers.form } });
  expect((await come()).error?.data.code).toBe("overloaded");
  release();
  expect((await holding).result?.resultType).toBe("complete");
  expect((await come()).result?.resultType).toBe("complete");
  expect((await come()).error?.data.details?.reason).toBe("request_state_used");
  expect(begun).toEqual(["hold", "form"]);
});

it.each(kinds)("with an idempotency key a client whose answer was lost is given it again (F67), for a state %s", async (_kind, open) => {
  const begun: string[] = [];
  const { a, b } = await twoProcesses({ url: await open(begun) });
  const { state, key } = await parked(a.url, { key: "once" });
  const come = (url: URL) => rawCall(url, { key: "once", state, responses: { [key]: answers.form } });
  const first = await come(a.url);
  expect(first.result?.resultType).toBe("complete");
  for (const { url } of [a, b]) expect((await come(url)).result).toEqual(first.result);
  expect(begun.filter((name) => name === "form")).toHaveLength(1);
});
