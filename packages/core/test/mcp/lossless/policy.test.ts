import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { lyingMcpServer } from "@sallyport/adapter-kit";
import { createTestGateway, TEST_OWNER_KEY, type TestGatewayOptions } from "../../../src/testing/index.js";
import { needsData } from "../../wire/test-data.js";
import { OWNER } from "../proxy-harness.js";
import { cells, expectInOrder, request, texts, type Asking, type Era } from "./asking.js";
import { anyJson, written, type Member } from "./schema-text.js";

/** What a hop or an era writes for itself. */
const ofTheHop: ReadonlySet<string> = new Set(["resultType", "_meta"]);
const RUNS = { numRuns: 20 };
const MASKED = "maskedword";

/** A gateway whose policy looks at the calls of a server that answers with the text that it is given. */
async function gated(upstream: Era, options: TestGatewayOptions) {
  const liar = await lyingMcpServer({ era: upstream });
  onTestFinished(() => liar.close());
  const made = { liar, says: "{}", before: [] as readonly string[] };
  liar.lie = (asked, say) => {
    if (asked.id === undefined || asked.method !== "tools/call") return false;
    const answer = `{"id":${asked.id},"jsonrpc":"2.0",${made.says}}`;
    if (made.before.length === 0) return void say.send(answer);
    for (const notice of made.before) say.sse(notice.replace('"TOKEN"', String(asked.id)));
    say.sse(answer);
    return void say.end();
  };
  const gateway = await createTestGateway({
    mcpServers: { liar: { url: liar.url } },
    namespaces: { bare: { servers: ["liar"], naming: "none" } },
    ...options,
  });
  onTestFinished(() => gateway.close());
  const ask = async (client: Era, asking: Asking) => {
    const { message, headers } = request(client, asking);
    const own = {
      authorization: `Bearer ${TEST_OWNER_KEY}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const url = "http://localhost/ns/bare/mcp";
    return (await gateway.fetch(new Request(url, { method: "POST", headers: { ...own, ...headers }, body: message }))).text();
  };
  return Object.assign(made, { gateway, ask });
}
type Gated = Awaited<ReturnType<typeof gated>>;

let keys = 0;
const named = (...names: readonly string[]) =>
  fc.uniqueArray(fc.tuple(fc.constantFrom(...names), anyJson), { maxLength: 3, selector: ([key]) => key });
const callTool = (args: readonly Member[], more: Partial<Asking> = {}): Asking => ({
  ...{ method: "tools/call", subject: "ok", params: [["arguments", written(args)], ["name", '"ok"'], ...(more.params ?? [])] },
  ...(more.meta === undefined ? {} : { meta: more.meta }),
});
const keyed = (): readonly Member[] => [["sallyport/idempotencyKey", `"k${++keys}"`]];
const rule = (effect: "allow" | "approve") => ({ looked: { tools: ["liar__*"], when: "size(args) < 1000", effect } });
const enrichment = (more: object) => ({
  ...{ server: "liar", tool: "ok", source: { kind: "function" as const, name: "add" }, merge: { path: "added" }, ...more },
});
const guardrail = (action: "block" | "mask") => ({
  words: { kind: "words" as const, settings: { words: [MASKED] }, action, unseen: "allow" as const },
});

/** Each makes policy look at a call in another way; none changes what the generators make. */
const policies: readonly {
  readonly name: string;
  readonly options: TestGatewayOptions;
  readonly meta?: () => readonly Member[];
  readonly isAsked?: true;
}[] = [
  { name: "an idempotency key", options: {}, meta: keyed },
  { name: "a rule on arguments", options: { mcp: { rules: rule("allow") } } },
  { name: "a rule on arguments and a key", options: { mcp: { rules: rule("allow") } }, meta: keyed },
  { name: "a person's approval", options: { mcp: { rules: rule("approve") } }, isAsked: true },
  { name: "enrichment that is off", options: { mcp: { enrichment: { one: enrichment({ enabled: false }) } } } },
  {
    name: "enrichment that has nothing to add",
    options: { mcp: { enrichment: { one: enrichment({ when: { kind: "response_contains", paths: ["$.nowhere"] } }) } } },
  },
  { name: "a guardrail that blocks", options: { guardrails: guardrail("block") } },
  { name: "a guardrail that masks, and a key", options: { guardrails: guardrail("mask") }, meta: keyed },
];

async function answered(to: Gated, client: Era, asking: Asking, isAsked: boolean | undefined): Promise<string> {
  const first = await to.ask(client, asking);
  if (isAsked !== true) return first;
  const id = /"approval_id":"([^"]+)"/.exec(first)?.[1];
  expect(id, first).toBeDefined();
  await to.gateway.inbox.approve(OWNER, id!, {} as never);
  return to.ask(client, asking);
}

beforeEach((context) => needsData(context));

describe.each(cells)("between a %s client and a %s server", (client, upstream) => {
  it.each(policies)("a call with $name arrives, and is answered, as it was said", async ({ options, meta, isAsked }) => {
    const to = await gated(upstream, options);
    const fixed = { resultType: upstream === "modern" ? '"complete"' : undefined };
    await fc.assert(
      fc.asyncProperty(
        texts(upstream).members("CallToolResult", fixed),
        named("b", "a", "__proto__", "10", "é"),
        named("x-later", "Ünknown"),
        async (members, args, unknown) => {
          to.says = `"result":${written(members)}`;
          const own = [...(meta?.() ?? []), ["example.com/mark", "1e400"] as const];
          const asking = callTool(args, { params: unknown, meta: own });
          const text = await answered(to, client, asking, isAsked);
          expectInOrder(
            text,
            members.filter(([key]) => !ofTheHop.has(key)),
          );
          const { text: sent } = to.liar.asked.findLast(({ method }) => method === "tools/call")!;
          expectInOrder(sent, asking.params);
          expectInOrder(sent, own);
          if (client === "legacy" && upstream === "legacy") expect(text).toContain(`${to.says}}`);
          // Whoever repeats it gets what the first one got.
          if (meta !== undefined) expect(await to.ask(client, asking)).toBe(text);
        },
      ),
      RUNS,
    );
  });

  it("what steps change is changed, and stands among what they leave alone", async () => {
    const to = await gated(upstream, { guardrails: guardrail("mask"), mcp: { enrichment: { one: enrichment({}) } } });
    to.gateway.mcp.enrichment.register("add", () => Promise.resolve({ new: 1 }));
    const kind = upstream === "modern" ? '"resultType":"complete",' : "";
    to.says = `"result":{${kind}"x-id" : 12345678901234567890, "content":[ {"x":1.0,"text":"a ${MASKED}" ,"type":"text"} ], "structuredContent":{"10":1,"b":9007199254740993 ,"a": -0}}`;
    const args: readonly Member[] = [
      ["id", "9007199254740993"],
      ["note", `"the ${MASKED}"`],
      ["2", "1.50"],
    ];
    const text = await to.ask(client, callTool(args));
    expect(text).toContain('"x-id" : 12345678901234567890');
    expect(text).toContain('"b":9007199254740993');
    expect(text).toContain('"a": -0');
    expect(text).toMatch(/"structuredContent":\{"10":1,"b":9007199254740993,"a": -0,"added":\{"new":1\}\}/);
    expect(text).toMatch(/\{"x":1\.0,"text":"a [^"]+","type":"text"\}/);
    const { text: sent } = to.liar.asked.findLast(({ method }) => method === "tools/call")!;
    expect(sent).toMatch(/\{"id" :9007199254740993,"note" :"the [^"]+","2" :1\.50\}/);
    expect(text + sent).not.toContain(MASKED);
  });

  it("an error of the server is the error of the call, also of its repetition", async () => {
    const to = await gated(upstream, {});
    to.says = '"error":{"code":-32050,"message":"No.","data":{"left" :12345678901234567890}}';
    const asking = callTool([], { meta: keyed() });
    const text = await to.ask(client, asking);
    expect(text).toContain(to.says);
    expect(await to.ask(client, asking)).toBe(text);
  });

  it("progress is told as it was said", async () => {
    const to = await gated(upstream, {});
    to.before = [
      '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1.50,"total":12345678901234567890,"progressToken":"TOKEN","message":"on it"}}',
    ];
    to.says = `"result":{${upstream === "modern" ? '"resultType":"complete",' : ""}"content":[]}`;
    const text = await to.ask(client, callTool([], { meta: [...keyed(), ["progressToken", '"mine"']] }));
    expect(text).toContain(to.before[0]!.replace("TOKEN", "mine"));
  });
});

it("an object that says a key twice is told as it was looked at", async () => {
  const to = await gated("legacy", { guardrails: guardrail("mask") });
  to.says = `"result":{"content":[],"structuredContent":{"a":"${MASKED}","a":9007199254740993,"b":12345678901234567890}}`;
  const text = await to.ask("legacy", callTool([]));
  expect(text).not.toContain(MASKED);
  expect(JSON.parse(text)).toMatchObject({ result: { structuredContent: { a: 9007199254740992 } } });
});
