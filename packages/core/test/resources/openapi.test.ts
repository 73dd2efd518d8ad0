import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allRoutes, openApi } from "../../src/routes/index.js";
import { callerOf, codeOf, restGateway, type RestGateway } from "./harness.js";

type Operation = { operationId: string; tags: string[]; parameters?: { in: string; name: string }[] };
const document = openApi("/") as { openapi: string; paths: Record<string, Record<string, Operation>>; components: { schemas: object } };
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

describe("the OpenAPI document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect([result.valid, document.openapi]).toEqual([true, "3.1.1"]);
  });

  it("is the one in docs/reference: `node tools/openapi.mjs` writes it", () => {
    const page = readFileSync(new URL("../../../../docs/reference/openapi.json", import.meta.url), "utf8");
    expect(page === `${JSON.stringify(document, null, 1)}\n`, "node tools/openapi.mjs").toBe(true);
  });

  it("is the same every time, and has every route once", () => {
    expect(JSON.stringify(openApi("/"))).toBe(JSON.stringify(document));
    const wanted = allRoutes.filter(({ last }) => last !== true).map(({ name }) => name);
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual([...wanted].sort());
  });

  it("refers to nothing that it does not have, and names every parameter of its paths", () => {
    const text = JSON.stringify(document);
    for (const [, kind, name] of text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g))
      expect(Object.keys((document.components as Record<string, object>)[kind!] ?? {}), `${kind}/${name}`).toContain(name);
    expect(text).not.toMatch(/"\$ref":"#(?:"|\/\$defs)/);
    for (const [path, methods] of Object.entries(document.paths))
      for (const { operationId, parameters = [] } of Object.values(methods)) {
        const named = parameters.filter((one) => one.in === "path").map(({ name }) => name);
        expect(named, operationId).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      }
  });
});

describe("/openapi.json and /docs", () => {
  let rest: RestGateway;
  beforeAll(async () => void (rest = await restGateway([callerOf("owner")])));
  afterAll(() => rest.gateway.close());

  it("are open, and the page runs nothing and asks nobody", async () => {
    const served = await rest.call("GET", "/openapi.json", { as: "" });
    expect([served.status, served.body]).toEqual([200, document]);
    const page = await rest.call("GET", "/docs", { as: "" });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; .*frame-ancestors 'none'$/,
    );
    expect(page.text).not.toMatch(/<script|\son\w+=|src=|@import|url\(/);
    const outside = [...page.text.matchAll(/<[a-z]+ [^>]*https?:[^>]*>/g)].map(([tag]) => tag);
    expect(outside.every((tag) => tag.startsWith("<a "))).toBe(true);
    for (const { operationId } of operations) expect(page.text).toContain(`id="${operationId}"`);
  });

  it("say where they are mounted", async () => {
    const answer = await rest.gateway.fetch(new Request("http://localhost/ai/openapi.json"), { basePath: "/ai" });
    expect(((await answer.json()) as { servers: unknown }).servers).toEqual([{ url: "/ai" }]);
  });

  it("are not there when the operator says so", async () => {
    const silent = await restGateway([callerOf("owner")], { server: { docs: false } });
    for (const path of ["/openapi.json", "/docs"]) expect(codeOf(await silent.call("GET", path))).toBe("not_found");
    await silent.gateway.close();
  });
});
