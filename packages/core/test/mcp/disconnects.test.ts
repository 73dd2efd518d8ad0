import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { expect, it } from "vitest";
import { modern, hosted, proxyHarness, type HarnessOptions } from "./proxy-harness.js";
import { newHttpStory, oldHttpStory } from "./servers/http-story.js";

type Server = NonNullable<NonNullable<HarnessOptions["config"]>["mcpServers"]>[string];
const servers: readonly [string, () => Promise<Server>][] = [
  ["a v1 server over stdio", async () => ({ command: process.execPath, args: [join(import.meta.dirname, "servers", "old-stdio.mjs")] })],
  ["a v1 server over HTTP", async () => ({ url: (await oldHttpStory()).url })],
  ["a v2 server over HTTP", async () => ({ url: (await newHttpStory("reject")).url })],
];

it.each(servers)(
  "a client of 2026-07-28 that leaves cancels its call at %s, and gives back its place there (F68)",
  async (_server, make) => {
    const server = { ...(await make()), resilience: { maxConcurrent: 2 } } as Server;
    const harness = proxyHarness({ config: { mcpServers: { story: server } } });
    await harness.proxy.start();
    const host = await hosted(harness);
    /** A call that never ends by itself, and what ends its connection. */
    const waiting = (label: string) => {
      const left = new AbortController();
      const { message, headers } = modern("tools/call", { name: "story__wait", arguments: { label } });
      const answer = fetch(host.url, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
        body: JSON.stringify(message),
        signal: left.signal,
      })
        .then((response) => response.text())
        .catch(() => "left");
      return { answer, leave: () => left.abort() };
    };
    /** Asked at the same server: there is one other place beside a call that waits. */
    const state = (label: string) => async () => {
      const { raw } = await harness.proxy.call("story__was_cancelled", { label });
      return JSON.parse((raw["content"] as { text: string }[])[0]!.text) as unknown;
    };
    for (let turn = 0; turn < 4; turn++) {
      const label = randomUUID();
      const { answer, leave } = waiting(label);
      await expect.poll(state(label)).toEqual({ ran: 1, cancelled: false });
      leave();
      expect(await answer).toBe("left");
      await expect.poll(state(label)).toEqual({ ran: 1, cancelled: true });
    }
    const outcomes = () => harness.ended.filter(({ head }) => head.tool.endsWith("wait")).map(({ outcome }) => outcome.kind);
    await expect.poll(outcomes).toEqual(["aborted", "aborted", "aborted", "aborted"]);
  },
);
