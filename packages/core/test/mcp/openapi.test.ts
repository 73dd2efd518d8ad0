import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { serve } from "../../src/node/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { closed, proxyHarness } from "./proxy-harness.js";

interface Got {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** An API that keeps what it got, and answers as it is told; `/openapi.yaml` is its document. */
async function api(
  document: (origin: string) => string,
  answer: (got: Got) => { status?: number; type?: string; body?: string | Buffer } = () => ({}),
) {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url === "/openapi.yaml")
        return void response.writeHead(200, { "content-type": "application/yaml" }).end(document(origin));
      const one = {
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      got.push(one);
      const { status = 200, type = "application/json", body = "{}" } = answer(one);
      response.writeHead(status, type === "" ? {} : { "content-type": type }).end(body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => closed(server));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { got, origin, spec: `${origin}/openapi.yaml` };
}

const doc = (paths: object, more: object = {}): string =>
  JSON.stringify({ openapi: "3.1.0", info: { title: "t", version: "1" }, paths, ...more });
const ITEMS = `
openapi: 3.0.3
info: { title: Items, version: "1" }
servers: [{ url: /v1 }]
paths:
  /items/{id}:
    parameters: [{ $ref: "#/components/parameters/Id" }]
    get:
      operationId: getItem
      summary: One item
      tags: [read]
      parameters:
        - { name: fields, in: query, schema: { type: array, items: { type: string } } }
        - { name: X-Trace, in: header, schema: { type: string } }
      responses: { "200": { description: ok } }
    put:
      operationId: put item!
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Item" } } } }
      responses: { "200": { description: ok } }
  /search:
    post:
      requestBody: { content: { application/x-www-form-urlencoded: { schema: { type: object, properties: { q: { type: string } } } } } }
      responses: { "200": { description: ok } }
components:
  parameters:
    Id: { name: id, in: path, required: true, schema: { type: string } }
  schemas:
    Item:
      type: object
      required: [id, name]
      properties:
        id: { type: string, readOnly: true }
        name: { type: string, nullable: true }
        parent: { $ref: "#/components/schemas/Item" }
        size: { type: integer, minimum: 0, exclusiveMinimum: true }
`;

async function started(server: object, o: Parameters<typeof proxyHarness>[0] = {}) {
  const harness = proxyHarness({
    limits: { startMs: 90_000 },
    ...o,
    config: { mcpServers: { api: { type: "openapi", ...server } as never } },
  });
  await harness.proxy.start();
  const [status] = harness.proxy.status();
  return { ...harness, status: status! };
}

describe("an OpenAPI document", () => {
  it("becomes tools: their schemas, their hints, and requests in which each argument is in its place", async () => {
    const { got, spec } = await api(
      () => ITEMS,
      ({ url }) => ({ body: url.includes("items") ? '{"name":"one"}' : "[1,2]" }),
    );
    const { proxy, status } = await started({ spec, headers: { authorization: "Bearer canary-api" } });
    expect(status).toMatchObject({ transport: "openapi", connected: true, tools: 3, lastError: null });
    const tools = await proxy.tools();
    expect(tools.map(({ name }) => name)).toEqual(["api__getItem", "api__put_item", "api__post_search"]);
    expect(tools[0]).toMatchObject({ title: "One item", raw: { annotations: { readOnlyHint: true, idempotentHint: true } } });
    expect(tools[0]!.inputSchema).toMatchObject({
      required: ["id"],
      additionalProperties: false,
      properties: { fields: { type: "array" } },
    });
    const body = (tools[1]!.inputSchema as { properties: { body: Record<string, unknown> } }).properties.body;
    expect(body).toEqual({
      type: "object",
      required: ["name"],
      properties: {
        name: { type: ["string", "null"] },
        parent: expect.anything() as unknown,
        size: { type: "integer", exclusiveMinimum: 0 },
      },
    });
    const read = await proxy.call("api__getItem", { id: "a/b ?#", fields: ["x", "y&z"], "X-Trace": "t" });
    expect(read).toMatchObject({
      isError: false,
      raw: { structuredContent: { name: "one" }, content: [{ type: "text", text: '{"name":"one"}' }] },
    });
    await proxy.call("api__put_item", { id: "1", body: { name: null } });
    expect((await proxy.call("api__post_search", { body: { q: "a b" } })).raw["structuredContent"]).toEqual({ result: [1, 2] });
    expect(got.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /v1/items/a%2Fb%20%3F%23?fields=x&fields=y%26z",
      "PUT /v1/items/1",
      "POST /v1/search",
    ]);
    expect(got[0]!.headers).toMatchObject({ "x-trace": "t", authorization: "Bearer canary-api" });
    expect([got[1]!.body, got[2]!.body, got[2]!.headers["content-type"]]).toEqual([
      '{"name":null}',
      "q=a+b",
      "application/x-www-form-urlencoded",
    ]);
  });

  it("is read from a file or given whole, only its wanted operations are tools, and nothing that it refers to elsewhere is fetched (T18)", async () => {
    const other = await api(() => "");
    const paths = {
      "/a": {
        get: {
          operationId: "a",
          tags: ["x"],
          parameters: [{ name: "p", in: "query", schema: { $ref: `${other.origin}/s.json` } }],
          responses: {},
        },
      },
      "/b": { get: { operationId: "b", tags: ["x"], responses: {} }, delete: { operationId: "dropB", responses: {} } },
      "/c": { get: { operationId: "c", responses: {} } },
    };
    const folder = mkdtempSync(join(tmpdir(), "sallyport-openapi-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "api.json");
    writeFileSync(file, doc(paths));
    const named = async (server: object) =>
      (await (await started({ baseUrl: other.origin, ...server })).proxy.tools()).map(({ tool }) => tool);
    const gateway = await createTestGateway({ mcpServers: { api: { type: "openapi", spec: file, baseUrl: other.origin } } });
    onTestFinished(() => gateway.close());
    expect((await gateway.mcp.tools()).map(({ name }) => name)).toEqual(["api__a", "api__b", "api__dropB", "api__c"]);
    expect(await named({ spec: JSON.parse(doc(paths)) as object, include: ["x", "GET /c"] })).toEqual(["a", "b", "c"]);
    expect(await named({ spec: JSON.parse(doc(paths)) as object, exclude: ["drop*", "b"] })).toEqual(["a", "c"]);
    expect(other.got).toEqual([]);
  });

  it("whose schemas explode costs only those tools (T18)", async () => {
    const schemas: Record<string, object> = { S0: { type: "string" } };
    for (let i = 1; i < 40; i++)
      schemas[`S${i}`] = {
        type: "object",
        properties: { a: { $ref: `#/components/schemas/S${i - 1}` }, b: { $ref: `#/components/schemas/S${i - 1}` } },
      };
    const body = { content: { "application/json": { schema: { $ref: "#/components/schemas/S39" } } } };
    const { origin, spec } = await api(() =>
      doc(
        {
          "/bomb": { post: { operationId: "bomb", requestBody: body, responses: {} } },
          "/fine": { get: { operationId: "fine", responses: {} } },
        },
        { components: { schemas } },
      ),
    );
    const { proxy, logged } = await started({ spec, baseUrl: origin });
    expect((await proxy.tools()).map(({ tool }) => tool)).toEqual(["fine"]);
    expect(logged.some(({ fields }) => String(fields["why"]).startsWith("bomb: "))).toBe(true);
  });

  it.each([
    ["no document", "what: ever", /no OpenAPI 3 document/],
    ["no YAML", "a: [", /could not be read/],
    ["Swagger 2", "swagger: '2.0'", /no OpenAPI 3 document/],
    [
      "an API elsewhere, which would get its credentials (T15)",
      doc({}, { servers: [{ url: "https://elsewhere.example/" }] }),
      /another origin/,
    ],
    ["an address that is none", doc({}, { servers: [{ url: "file:///etc" }] }), /does not say where its API is/],
  ])("with %s is refused in words (T15)", async (_what, text, said) => {
    const { spec } = await api(() => text);
    const { status } = await started({ spec, headers: { authorization: "Bearer canary-refused" } });
    expect(status.connected).toBe(false);
    expect(status.lastError).toMatch(said);
  });

  it("named from outside is neither a file of this machine nor at a private address (T11)", async () => {
    const { proxy } = proxyHarness({ config: { mcpServers: {} } });
    const { spec, got } = await api(() => ITEMS);
    const probe = (given: object) => proxy.probe({ type: "openapi", ...given } as never, { trust: "remote" });
    await expect(probe({ spec: "/etc/passwd" })).rejects.toMatchObject({ code: "forbidden" });
    await expect(probe({ spec })).rejects.toMatchObject({ code: "address_refused" });
    const document = JSON.parse(
      doc({ "/a": { get: { operationId: "a", responses: {} } } }, { servers: [{ url: new URL(spec).origin }] }),
    ) as Record<string, unknown>;
    await proxy.connect("inline", { type: "openapi", spec: document }, { trust: "remote" });
    expect(await proxy.call("inline__a")).toMatchObject({ isError: true, raw: { _meta: { "sallyport/error": "address_refused" } } });
    expect(got).toEqual([]);
  });
});

describe("a tool of a document", () => {
  const PARTS = doc({
    "/p/{id}/end": {
      post: {
        operationId: "parts",
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          { name: "q", in: "query", schema: { type: "string" } },
          { name: "deep", in: "query", style: "deepObject", explode: true, schema: { type: "object" } },
          { name: "x-h", in: "header", schema: { type: "string" } },
          { name: "Authorization", in: "header", schema: { type: "string" } },
        ],
        requestBody: { content: { "application/json": { schema: {} } } },
        responses: {},
      },
    },
  });

  it("sends exactly what it was given, each in its slot, whatever the text (T20)", async () => {
    const { got, origin, spec } = await api(() => PARTS);
    const { proxy } = await started({ spec, baseUrl: `${origin}/base` });
    const text = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
      .filter((one) => !/[\u0000-\u001f\u007f]/.test(one) && one !== "." && one !== "..");
    const visible = fc.stringMatching(/^[!-~]{1,12}$/);
    await fc.assert(
      fc.asyncProperty(text, text, visible, fc.jsonValue({ maxDepth: 2 }), async (id, q, header, body) => {
        got.length = 0;
        await proxy.call("api__parts", { id, q, deep: { k: q }, "x-h": header, body: JSON.parse(JSON.stringify(body)) as never });
        const url = new URL(got[0]!.url, origin);
        const segments = url.pathname.split("/").map(decodeURIComponent);
        expect(segments).toEqual(["", "base", "p", id, "end"]);
        expect([...url.searchParams]).toEqual([
          ["q", q],
          ["deep[k]", q],
        ]);
        expect(got[0]!.headers["x-h"]).toBe(header);
        expect(JSON.parse(got[0]!.body)).toEqual(JSON.parse(JSON.stringify(body)));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["a line break in a header", { id: "1", "x-h": "a\r\nhost: evil" }],
    ["a NUL in the query", { id: "1", q: "\u0000" }],
    ["a line break in the path", { id: "a\nb" }],
    ["a dot segment", { id: ".." }],
    ["nothing in the path", { id: "" }],
    ["no path", { q: "x" }],
    ["an argument that is none", { id: "1", other: 1 }],
    ["a credential of the caller's (T14)", { id: "1", Authorization: "Bearer evil" }],
    ["an object in the path", { id: { a: 1 } }],
  ])("refuses %s, and sends nothing (T14, T20)", async (_what, args) => {
    const { got, origin, spec } = await api(() => PARTS);
    const { proxy } = await started({ spec, baseUrl: origin });
    expect(await proxy.call("api__parts", args as never)).toMatchObject({
      isError: true,
      raw: { _meta: { "sallyport/error": "validation_failed" } },
    });
    expect(got).toEqual([]);
  });

  it.each([
    ["text", { type: "text/plain", body: "plain" }, { content: [{ type: "text", text: "plain" }] }],
    ["nothing", { status: 204, type: "", body: "" }, { content: [{ type: "text", text: "HTTP 204" }] }],
    [
      "a picture",
      { type: "image/png", body: Buffer.from([1, 2, 3]) },
      { content: [{ type: "image", data: "AQID", mimeType: "image/png" }] },
    ],
    [
      "bytes",
      { type: "application/zip", body: Buffer.from([4]) },
      { content: [{ type: "resource", resource: { mimeType: "application/zip", blob: "BA==" } }] },
    ],
    [
      "an error",
      { status: 404, body: '{"why":"gone"}' },
      { isError: true, content: [{ text: 'HTTP 404: {"why":"gone"}' }], _meta: { "sallyport/httpStatus": 404 } },
    ],
    ["a redirect, which is not followed", { status: 302, body: "" }, { isError: true, content: [{ text: "HTTP 302" }] }],
  ])("gives back %s as it is (T13)", async (_what, answer, result) => {
    const { origin, spec } = await api(
      () => doc({ "/a": { get: { operationId: "a", responses: {} } } }),
      () => answer,
    );
    const { proxy } = await started({ spec, baseUrl: origin });
    expect((await proxy.call("api__a")).raw).toMatchObject(result);
  });
});

it("this gateway's own document is a server of its own REST API", async () => {
  const gateway = await createTestGateway({ mcpServers: {} });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const headers = { authorization: `Bearer ${TEST_OWNER_KEY}` };
  const { proxy, status } = await started({ spec: `${serving.url}/openapi.json`, headers });
  expect(status.lastError).toBeNull();
  expect(status.tools).toBeGreaterThan(150);
  expect(await proxy.call("api__system.health")).toMatchObject({ raw: { structuredContent: { status: "ok" } } });
  const made = await proxy.call("api__projects.create", { body: { id: "lab", name: "The lab" } });
  expect(made).toMatchObject({ isError: false, raw: { structuredContent: { name: "The lab" } } });
});
