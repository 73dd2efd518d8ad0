import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { lyingMcpServer, type LyingMcpServer } from "@sallyport/adapter-kit";
import { needsData } from "../../wire/test-data.js";
import { hosted, post, proxyHarness, type Hosted } from "../proxy-harness.js";
import { cells, expectInOrder, request, texts, type Asking, type Era } from "./asking.js";
import { anyJson, written, type Member } from "./schema-text.js";

/** What a hop or an era writes for itself, and what is nobody else's. */
const ofTheHop: ReadonlySet<string> = new Set(["resultType", "ttlMs", "cacheScope", "_meta"]);
/** Results that say how long they keep. */
const cacheable: ReadonlySet<string> = new Set(["ReadResourceResult"]);

interface Cell {
  readonly liar: LyingMcpServer;
  readonly host: Hosted;
  /** What the server answers next, as the text of a result. */
  says: string;
}

async function cell(upstream: Era, lists: Readonly<Record<string, string>> = {}): Promise<Cell> {
  const liar = await lyingMcpServer({ era: upstream });
  onTestFinished(() => liar.close());
  const made = { liar, says: "{}" };
  liar.lie = (asked, say) => {
    const list = lists[asked.method];
    if (asked.id === undefined || (list === undefined && !answered.has(asked.method))) return false;
    return void say.send(`{"result":${list ?? made.says},"id":${JSON.stringify(asked.id)},"jsonrpc":"2.0"}`);
  };
  const harness = proxyHarness({
    config: { mcpServers: { liar: { url: liar.url } }, namespaces: { bare: { servers: ["liar"], naming: "none" } } },
  });
  await harness.proxy.start();
  return Object.assign(made, { host: await hosted(harness) });
}
const answered: ReadonlySet<string> = new Set(["tools/call", "resources/read", "prompts/get", "completion/complete"]);

function ask(host: Hosted, client: Era, o: Asking) {
  const { message, headers } = request(client, o);
  return post(host.namespace("bare"), message, headers);
}
const metaOf = (members: readonly Member[]) => members.find(([key]) => key === "_meta")?.[1];
const RUNS = { numRuns: 30 };
let reads = 0;

const results = [
  { definition: "CallToolResult", method: "tools/call", subject: "ok", params: [["name", '"ok"']] },
  { definition: "ReadResourceResult", method: "resources/read", subject: "lying://r", params: [["uri", '"lying://r"']] },
  { definition: "GetPromptResult", method: "prompts/get", subject: "p", params: [["name", '"p"']] },
  {
    definition: "CompleteResult",
    method: "completion/complete",
    subject: null,
    params: [
      ["ref", '{"type":"ref/prompt","name":"p"}'],
      ["argument", '{"name":"a","value":"b"}'],
    ],
  },
] as const;

beforeEach((context) => needsData(context));

describe.each(cells)("between a %s client and a %s server", (client, upstream) => {
  it.each(results)("a $definition arrives as it was said, whatever stands in it", async (o) => {
    const made = await cell(upstream);
    const fixed: Record<string, string | undefined> = { resultType: upstream === "modern" ? '"complete"' : undefined };
    if (cacheable.has(o.definition) && upstream === "modern") Object.assign(fixed, { ttlMs: "1000", cacheScope: '"private"' });
    await fc.assert(
      fc.asyncProperty(texts(upstream).members(o.definition, fixed), async (members) => {
        made.says = written(members);
        // What may be kept is not asked for again.
        const uri = `lying://${++reads}`;
        const isRead = o.method === "resources/read";
        const answer = await ask(made.host, client, isRead ? { ...o, subject: uri, params: [["uri", `"${uri}"`]] } : o);
        expect(answer.status).toBe(200);
        expectInOrder(
          answer.text,
          members.filter(([key]) => !ofTheHop.has(key)),
        );
        const meta = metaOf(members);
        if (client === "legacy" && upstream === "legacy") expect(answer.text).toBe(`{"result":${made.says},"id":1,"jsonrpc":"2.0"}`);
        else if (meta !== undefined) {
          const sent = JSON.parse(meta) as Record<string, unknown>;
          const { result } = JSON.parse(answer.text) as { result: { _meta?: Record<string, unknown> } };
          for (const key of Object.keys(sent).filter((name) => !name.startsWith("io.modelcontextprotocol/")))
            expect(result._meta?.[key]).toEqual(sent[key]);
        }
      }),
      RUNS,
    );
  });

  it("the arguments of a call, its _meta and what nobody knows of its parameters arrive as they were sent", async () => {
    const made = await cell(upstream);
    made.says = `{${upstream === "modern" ? '"resultType":"complete",' : ""}"content":[]}`;
    const named = (...keys: readonly string[]) =>
      fc.uniqueArray(fc.tuple(fc.constantFrom(...keys), anyJson), { maxLength: 3, selector: ([key]) => key });
    await fc.assert(
      fc.asyncProperty(
        named("b", "a", "__proto__", "10", "é"),
        named("x-later", "Ünknown"),
        named("example.com/mark", "later"),
        async (args, unknown, meta) => {
          const params: readonly Member[] = [["arguments", written(args)], ...unknown, ["name", '"ok"']];
          const answer = await ask(made.host, client, { method: "tools/call", subject: "ok", params, meta });
          expect(answer.text).toContain('"result"');
          const sent = made.liar.asked.findLast(({ method }) => method === "tools/call")!.text;
          expectInOrder(sent, params);
          expectInOrder(sent, meta);
        },
      ),
      RUNS,
    );
  });

  it.each([
    ["Tool", "tools", "tools/list"],
    ["Resource", "resources", "resources/list"],
    ["ResourceTemplate", "resourceTemplates", "resources/templates/list"],
    ["Prompt", "prompts", "prompts/list"],
  ])("every %s is listed as its server describes it", async (definition, member, method) => {
    const unique: Record<string, string> = { Resource: "uri", ResourceTemplate: "uriTemplate" };
    const key = unique[definition] ?? "name";
    const made = texts(upstream);
    const entries = Array.from({ length: 40 }, (_, i) => {
      const fixed: Record<string, string> = { [key]: `"e${i}"` };
      if (definition === "Tool") fixed["inputSchema"] = '{ "type":"object" ,"x":1.0}';
      return written(fc.sample(made.members(definition, fixed), { numRuns: 1, seed: i })[0]!);
    });
    const { host } = await cell(upstream, {
      [method]: `{"resultType":"complete","ttlMs":0,"cacheScope":"private","${member}":[${entries.join(",")}]}`,
    });
    const answer = await ask(host, client, { method, subject: null, params: [] });
    expect(answer.text).toContain(`"${member}":[${entries.join(",")}]`);
  });
});
