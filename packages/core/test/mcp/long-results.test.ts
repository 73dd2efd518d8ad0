import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toolResult, toolResultPart } from "../../src/entities/index.js";
import { clock } from "../../src/platform/node.js";
import { hosted, modern, post, proxyHarness } from "./proxy-harness.js";
import { listedServer, tool } from "./servers/listed-server.js";

const rpc = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
const as = (id: string, revision = "2025-11-25") => ({ authorization: `Bearer ${id}`, "mcp-protocol-version": revision });
type Block = Readonly<Record<string, unknown>>;
interface Result {
  readonly content: readonly Block[];
  readonly structuredContent?: unknown;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** A server whose next answer a test says, behind a limit of 2 KiB. */
async function answering(
  o: { readonly maxBytes?: number; readonly more?: object; readonly grants?: Readonly<Record<string, readonly string[]>> } = {},
) {
  const harness = proxyHarness({ config: { mcp: { results: { maxBytes: o.maxBytes ?? 2_048 } } } });
  const next: { result: object } = { result: { content: [] } };
  const server = listedServer([tool("t", o.more)], { answer: () => next.result });
  await harness.proxy.connect("box", { server: server.server });
  const host = await hosted(harness, o.grants);
  const call = async (result: object, headers = as("ada")) => {
    next.result = result;
    return (await post(host.url, rpc("tools/call", { name: "box__t", arguments: {} }), headers)).json()["result"] as Result;
  };
  const read = async (uri: string, headers = as("ada")) =>
    (await post(host.url, rpc("resources/read", { uri }), headers)).json() as {
      readonly result?: { readonly contents: readonly { readonly text: string; readonly mimeType: string }[] };
      readonly error?: object;
    };
  return { harness, host, call, read };
}
const pointerOf = ({ _meta }: Result) => (_meta?.["sallyport/cut"] as { readonly uri: string; readonly bytes: number } | undefined) ?? null;

describe("a result that is too long", () => {
  it("is cut, says so to people and programs, and is whole as a resource", async () => {
    const { call, read } = await answering();
    const whole = {
      content: [
        { type: "text", text: "short", annotations: { priority: 1 } },
        { type: "image", data: "aGk=", mimeType: "image/png" },
        { type: "text", text: "long ".repeat(10_000) },
        { type: "text", text: "never reached" },
      ],
      structuredContent: { rows: [1, 2, 3] },
      "x-own": { kept: true },
      _meta: { own: 1 },
    };
    const cut = await call(whole);
    const { uri, bytes } = pointerOf(cut)!;
    expect(uri).toMatch(/^sallyport:results\/res_[0-9a-z]+$/);
    expect(cut).toMatchObject({ "x-own": { kept: true }, _meta: { own: 1 } });
    expect(cut.structuredContent).toBeUndefined();
    expect(cut.content.slice(0, 2)).toEqual(whole.content.slice(0, 2));
    expect(String(cut.content[2]!["text"]).length + "short".length).toBe(16_384);
    expect(cut.content[3]).toMatchObject({ type: "text", text: expect.stringContaining(uri) });
    expect(cut.content[4]).toMatchObject({ type: "resource_link", uri, size: bytes, mimeType: "application/json" });
    expect(cut.content).toHaveLength(5);
    const { contents } = (await read(uri)).result!;
    expect(contents).toMatchObject([{ uri, mimeType: "application/json" }]);
    expect(JSON.parse(contents[0]!.text)).toEqual(whole);
    expect(new TextEncoder().encode(contents[0]!.text)).toHaveLength(bytes);
    const piece = (await read(`${uri}?from=10&chars=7`)).result!.contents[0]!;
    expect(piece).toMatchObject({ mimeType: "text/plain", text: contents[0]!.text.slice(10, 17) });
  });

  it("is read by the caller that it was for alone, while it may call the tool, until it expires (T16)", async () => {
    const grants: Record<string, readonly string[]> = { ada: ["mcp:*"], eve: ["*"] };
    const { harness, call, read } = await answering({ grants });
    const { uri } = pointerOf(await call({ content: [{ type: "text", text: "x".repeat(5_000) }] }))!;
    expect((await read(uri, as("eve"))).error).toMatchObject({ message: "There is no such resource." });
    expect((await read(`${uri.slice(0, -1)}z`)).error).toMatchObject({ message: "There is no such resource." });
    expect((await read(uri)).result).toBeDefined();
    grants["ada"] = ["mcp:*", "!mcp:box__t"];
    expect((await read(uri)).error).toBeDefined();
    grants["ada"] = ["mcp:*"];
    const scope = { system: "test" };
    const within = { deadlineMs: clock.now() + 5_000 };
    const { rows } = await harness.store.find(toolResult, { orderBy: "id", limit: 10 }, scope, within);
    const change = { set: { expiresAtMs: clock.now() - 1 } };
    await harness.store.commit([{ scope, writes: [{ op: "update", entity: toolResult, id: rows[0]!.id, change }] }], within);
    expect((await read(uri)).error).toBeDefined();
  });

  it("keeps its structured content when the tool promises one, and links only for clients that know links", async () => {
    const { call } = await answering({ more: { outputSchema: { type: "object" } } });
    const whole = { content: [{ type: "text", text: "x".repeat(5_000) }], structuredContent: { a: "y".repeat(3_000) } };
    expect((await call(whole)).structuredContent).toEqual(whole.structuredContent);
    const old = await call(whole, as("ada", "2025-03-26"));
    expect(old.content.map(({ type }) => type)).toEqual(["text", "text"]);
    expect(pointerOf(old)).not.toBeNull();
  });

  it("is cut for clients of 2026-07-28, and where a step reads it, as well", async () => {
    const harness = proxyHarness({ config: { mcp: { results: { maxBytes: 2_048 } } }, steps: [{ name: "reader", sees: () => "read" }] });
    const server = listedServer([tool("t")], { answer: () => ({ content: [{ type: "text", text: "x".repeat(5_000) }] }) });
    await harness.proxy.connect("box", { server: server.server });
    const host = await hosted(harness);
    const { message, headers } = modern("tools/call", { name: "box__t", arguments: {} });
    const result = (await post(host.url, message, headers)).json()["result"] as Result;
    const { uri } = pointerOf(result)!;
    const asked = modern("resources/read", { uri });
    const read = (await post(host.url, asked.message, asked.headers)).json()["result"] as {
      readonly contents: readonly { readonly text: string }[];
    };
    expect(read).toMatchObject({ resultType: "complete", ttlMs: 0, cacheScope: "private" });
    expect(JSON.parse(read.contents[0]!.text)).toMatchObject({ content: [{ text: "x".repeat(5_000) }] });
  });

  it("is whole again whichever character its pieces end in", async () => {
    const { call, read } = await answering();
    for (const first of ["", "a"]) {
      const text = first + "😀".repeat(140_000);
      const { uri } = pointerOf(await call({ content: [{ type: "text", text }] }))!;
      expect(JSON.parse((await read(uri)).result!.contents[0]!.text)).toEqual({ content: [{ type: "text", text }] });
    }
  });

  it("of pictures alone is as it came", async () => {
    const { call } = await answering();
    const picture = { content: [{ type: "image", data: "A".repeat(8_000), mimeType: "image/png" }] };
    expect(await call(picture)).toEqual(picture);
  });

  it("gives way to newer ones of the same caller, so that nobody fills the store", async () => {
    const { harness, call } = await answering({ maxBytes: 1_024 });
    for (let i = 0; i < 103; i++) await call({ content: [{ type: "text", text: "x".repeat(1_100) }] });
    const query = { orderBy: "id", limit: 500 } as const;
    const within = { deadlineMs: clock.now() + 5_000 };
    expect((await harness.store.find(toolResult, query, { system: "test" }, within)).rows).toHaveLength(100);
    expect((await harness.store.find(toolResultPart, query, { system: "test" }, within)).rows).toHaveLength(100);
  });
});

it("whatever is cut, nothing is lost, and what is not too long is not touched", async () => {
  const { call, read } = await answering({ maxBytes: 1_024 });
  const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme", minLength: 200, maxLength: 3_000 }));
  const block = fc.oneof(
    text.map((said) => ({ type: "text", text: said })),
    text.map((said) => ({ type: "resource", resource: { uri: "x://y", text: said } })),
    fc.constant({ type: "audio", data: "aGk=", mimeType: "audio/wav" }),
  );
  const result = fc.record(
    {
      content: fc.array(block, { maxLength: 4 }),
      structuredContent: fc.dictionary(fc.string(), fc.jsonValue()),
      isError: fc.boolean(),
      _meta: fc.constant({ a: [1] }),
    },
    { requiredKeys: ["content"] },
  );
  await fc.assert(
    fc.asyncProperty(result, async (given) => {
      const whole = JSON.parse(JSON.stringify(given).replaceAll("x://y", "y://z")) as Result;
      const shown = JSON.parse(JSON.stringify(whole).replaceAll('"y://z"', '"sallyport:box/y://z"')) as Result;
      const got = await call(whole);
      const pointer = pointerOf(got);
      if (pointer === null) expect(got).toEqual(shown);
      else expect(JSON.parse((await read(pointer.uri)).result!.contents[0]!.text)).toEqual(shown);
    }),
    { numRuns: 60 },
  );
});
