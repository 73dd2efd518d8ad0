import { describe, expect, it } from "vitest";
import type { McpServerInput } from "../../../src/mcp/index.js";
import { hosted, proxyHarness } from "../proxy-harness.js";
import { newHttpStory, oldHttpStory } from "../servers/http-story.js";
import { answers, newClient, oldClient } from "./asked-clients.js";
import { asked, kinds, newAsking, oldAsking } from "./asking-servers.js";

const upstreams: readonly [string, "legacy" | "modern", () => Promise<McpServerInput>][] = [
  [
    "a v1 server over HTTP that asks on the call's stream",
    "legacy",
    async () => ({ url: (await oldHttpStory({ make: () => oldAsking() })).url }),
  ],
  [
    "a v1 server over HTTP that asks on the standing stream",
    "legacy",
    async () => ({ url: (await oldHttpStory({ make: () => oldAsking({ unrelated: true }) })).url }),
  ],
  ["a v1 server on a wire", "legacy", () => Promise.resolve({ server: () => oldAsking() })],
  ["a v2 server of 2026-07-28", "modern", async () => ({ url: (await newHttpStory("reject", newAsking)).url })],
];
const clients = [
  ["the v1 client", oldClient],
  ["a client of 2026-07-28", newClient],
] as const;

describe.each(upstreams)("%s", (_upstream, era, server) => {
  it.each(clients)("asks %s for a form, a page, a model and roots", async (_name, connect) => {
    const harness = proxyHarness();
    expect(await harness.proxy.connect("asking", await server())).toMatchObject({ connected: true, era });
    const client = await connect((await hosted(harness)).url);
    for (const kind of kinds) {
      const result = await client.call(`asking__${kind}`, { n: 1 });
      expect([kind, result.isError ?? false, JSON.parse(result.content[0]!.text)]).toEqual([kind, false, answers[kind]]);
    }
    expect(client.got.map(({ method }) => method)).toEqual([
      "elicitation/create",
      "elicitation/create",
      "sampling/createMessage",
      "roots/list",
    ]);
    expect(client.got[0]?.params).toMatchObject(asked.form);
    expect(client.got[1]?.params).toMatchObject(asked.url);
    expect(client.got[2]?.params).toMatchObject(asked.sampling);
    expect(harness.problems).toEqual([]);
  });

  it.each(clients)("asks %s in prompts and resources, and as often as it has to", async (_name, connect) => {
    const harness = proxyHarness();
    await harness.proxy.connect("asking", await server());
    const client = await connect((await hosted(harness)).url);
    const prompt = await client.getPrompt({ name: "asking__greet" });
    expect(JSON.parse(prompt.messages[0]!.content.text ?? "")).toEqual(answers.form.content);
    const { contents } = await client.readResource({ uri: "sallyport:asking/asking://card" });
    expect(JSON.parse(contents[0]!.text ?? "")).toEqual(answers.form.content);
    const twice = JSON.parse((await client.call("asking__twice")).content[0]!.text) as unknown;
    expect(twice).toEqual(era === "modern" ? "both" : [answers.form, answers.form, answers.form]);
    expect(client.got).toHaveLength(era === "modern" ? 4 : 5);
  });
});
