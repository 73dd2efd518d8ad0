import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allRoutes } from "../../src/routes/index.js";
import { edgeHarness, OWNER_KEY } from "../http/edge-harness.js";

const page = readFileSync(new URL("../../../../docs/reference/faces.md", import.meta.url), "utf8");
const rows = page.match(/^\| `[A-Z]+ \/.*$/gm) ?? [];
const methods = [...page.matchAll(/^\| `:(\w+)` \|/gm)].map(([, method]) => method);

describe("docs/reference/faces.md", () => {
  it("lists every route beside those of the REST API, which openapi.json has, with what it is for, and nothing that is no route", () => {
    const rowOf = ({ method, path, summary }: (typeof allRoutes)[number]): string => `| \`${method} ${path}\` | ${summary} |`;
    const needed = allRoutes.filter(({ path }) => !path.startsWith("/api/v1/")).map(rowOf);
    expect([...rows].sort()).toEqual(expect.arrayContaining(needed));
    expect(allRoutes.map(rowOf)).toEqual(expect.arrayContaining([...rows]));
  });

  it("lists the methods of Google's models", async () => {
    const { fetch } = await edgeHarness();
    const url = "http://localhost/v1beta/models/demo/echo:nothing";
    const answer = await fetch(new Request(url, { method: "POST", headers: { "x-goog-api-key": OWNER_KEY }, body: "{}" }));
    const text = await answer.text();
    const said = /Models have ([\w, ]+)\./.exec(text)?.[1]?.split(", ") ?? [];
    expect(said.sort()).toEqual(methods.sort());
  });
});
