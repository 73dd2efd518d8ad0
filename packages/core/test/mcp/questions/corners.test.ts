import { describe, expect, it } from "vitest";
import { UrlElicitationRequiredError } from "@modelcontextprotocol/sdk/types.js";
import { McpServer as OldServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { askByUrl } from "../../../src/mcp/bridge/ask-by-url.js";
import type { Asker, Question } from "../../../src/mcp/bridge/question.js";
import { hosted, proxyHarness } from "../proxy-harness.js";
import { newHttpStory } from "../servers/http-story.js";
import { rawServer } from "../servers/raw-http.js";
import { answers, newClient, oldClient } from "./asked-clients.js";
import { asked, newAsking, oldAsking } from "./asking-servers.js";
import { parked, rawCall } from "./raw-calls.js";

const reader = { name: "reader", sees: () => "read" as const };

describe("where a step looks at the content of calls", () => {
  it.each([
    ["the v1 client", oldClient],
    ["a client of 2026-07-28", newClient],
  ])("%s is asked all the same, by servers of both eras", async (_name, connect) => {
    const harness = proxyHarness({ steps: [reader] });
    await harness.proxy.connect("old", { server: () => oldAsking() });
    await harness.proxy.connect("new", { url: (await newHttpStory("reject", newAsking)).url });
    const client = await connect((await hosted(harness)).url);
    for (const server of ["old", "new"])
      for (const kind of ["form", "sampling"] as const)
        expect(JSON.parse((await client.call(`${server}__${kind}`)).content[0]!.text)).toEqual(answers[kind]);
    expect(client.got).toHaveLength(4);
    expect(harness.problems).toEqual([]);
  });
});

it("a server of 2026-07-28 that asks without end is not followed by a client of older revisions' stead", async () => {
  const harness = proxyHarness();
  await harness.proxy.connect("asking", { url: (await newHttpStory("reject", newAsking)).url });
  const client = await oldClient((await hosted(harness)).url);
  await expect(client.call("asking__endless")).rejects.toThrow(/more than 10 times/);
  expect(client.got).toHaveLength(11);
});

it("a server's 'visit these pages first' is the older client's to do, and a question to a newer one", async () => {
  const visits: string[] = [];
  const harness = proxyHarness();
  const server = (): OldServer => {
    const made = new OldServer({ name: "pages", version: "1" }, { capabilities: { tools: {} } });
    made.registerTool("open", {}, () => {
      visits.push("called");
      if (visits.length > 1) return { content: [{ type: "text", text: "in" }] };
      throw new UrlElicitationRequiredError([{ mode: "url", message: asked.url.message, url: asked.url.url, elicitationId: "e1" }]);
    });
    return made;
  };
  await harness.proxy.connect("asking", { server });
  const { url } = await hosted(harness);
  const old = await oldClient(url);
  await expect(old.call("asking__open")).rejects.toMatchObject({ code: -32042, data: { elicitations: [{ url: asked.url.url }] } });
  visits.splice(0);
  const { state, key } = await parked(url, { name: "asking__open" });
  const done = await rawCall(url, { name: "asking__open", state, responses: { [key]: answers.url } });
  expect([done.result?.content?.[0]?.text, visits]).toEqual(["in", ["called", "called"]]);
  visits.splice(0);
  const none = await rawCall(url, { name: "asking__open", capabilities: { elicitation: { form: {} } } });
  expect([none.status, none.error?.code]).toEqual([400, -32021]);
});

it("what a question and its answer hold passes as it came: numbers, order and what nobody knows", async () => {
  const raw = await rawServer("modern", [{ name: "echo", inputSchema: { type: "object" } }]);
  const harness = proxyHarness();
  await harness.proxy.connect("raw", { url: raw.url });
  const { url } = await hosted(harness);
  const question =
    '{"z":1.50,"method":"elicitation/create","params":{"requestedSchema":{"type":"object","properties":{}},"message":"M","a":12345678901234567890}}';
  raw.result = `{"resultType":"input_required","inputRequests":{"k":${question}},"x/own":1e2}`;
  const call = async (more: string, headers: Record<string, string> = {}) => {
    const meta =
      '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}';
    const response = await fetch(url, {
      method: "POST",
      headers: {
        ...{ "content-type": "application/json", accept: "application/json", "mcp-protocol-version": "2026-07-28" },
        ...{ "mcp-method": "tools/call", "mcp-name": "raw__echo", ...headers },
      },
      body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__echo","arguments":{},${more}${meta}}}`,
    });
    return response.text();
  };
  const first = await call("");
  expect(first).toContain(`"inputRequests":{"k":${question}}`);
  expect(first).toContain('"x/own":1e2');
  const state = (JSON.parse(first) as { result: { requestState: string } }).result.requestState;
  raw.result = '{"resultType":"complete","content":[]}';
  const answer = '{"k":{"action":"accept","content":{"n":1.50,"big":12345678901234567890},"x":null}}';
  await call(`"requestState":${JSON.stringify(state)},"inputResponses":${answer},`);
  const sent = raw.got.get("tools/call")!;
  expect(sent).toContain(`"inputResponses":${answer}`);
  // It gave no state, so it gets none.
  expect(sent).not.toContain("requestState");
});

describe("askByUrl", () => {
  const of = (capabilities: object, action: string): { asker: Asker; got: Question[] } => {
    const got: Question[] = [];
    const ask = (question: Question) => (got.push(question), Promise.resolve({ result: JSON.stringify({ action }) }));
    return { got, asker: { capabilities: capabilities as Asker["capabilities"], ask, completed: () => undefined } };
  };
  const errand = { message: "Sign in", url: "https://a.example/x", elicitationId: "e" };
  const signal = new AbortController().signal;

  it("asks whoever takes pages, and nobody else", async () => {
    const able = of({ elicitation: { url: {} } }, "accept");
    expect(await askByUrl(able.asker, errand, signal)).toBe("accept");
    expect(able.got).toEqual([{ method: "elicitation/create", params: JSON.stringify({ mode: "url", ...errand }), isOurs: true }]);
    expect(await askByUrl(of({ elicitation: { url: {} } }, "decline").asker, errand, signal)).toBe("decline");
    expect(await askByUrl(of({ elicitation: { form: {} } }, "accept").asker, errand, signal)).toBe("unable");
    expect(await askByUrl(undefined, errand, signal)).toBe("unable");
  });
});
