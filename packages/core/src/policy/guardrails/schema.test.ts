import { expect, it } from "vitest";
import type { JsonObject } from "../../calls/index.js";
import { guardrailSettings } from "../../entities/index.js";
import { schemaJudge } from "./detectors/schema.js";

const judge = (schema: JsonObject) => schemaJudge(guardrailSettings.schema.parse({ schema }));
const deep = (depth: number): JsonObject => (depth === 0 ? { type: "string" } : { properties: { a: deep(depth - 1) } });

it.each<[string, JsonObject]>([
  ["names another document", { $ref: "https://127.0.0.1:1/schema.json" }],
  ["names a file", { $ref: "file:///etc/passwd" }],
  ["is nested too deeply", deep(40)],
  ["has too many parts", { anyOf: Array.from({ length: 6_000 }, () => ({ type: "string" })) }],
  ["is too large", { description: "x".repeat(300_000) }],
  ["has a pattern that no linear engine has", { type: "string", pattern: "(a)\\1" }],
  ["is no schema", { type: "nothing" }],
])("a schema that %s is refused before anything is held against it (T18)", async (_what, schema) => {
  await expect(judge(schema)).rejects.toMatchObject({ code: "validation_failed", details: { field: "settings.schema" } });
});

it("patterns are told apart, and none takes for ever (T18)", async () => {
  const made = await judge({ properties: { a: { pattern: "^(a+)+$" }, b: { pattern: "^b" } }, required: ["a"] });
  const texts = [{ a: `${"a".repeat(5_000)}!` }, { a: "aa", b: "x" }, { a: "aa", b: "b" }, {}].map((value) => ({
    ...{ text: JSON.stringify(value), isJson: true },
  }));
  const found = await made.judge(texts, {} as never);
  expect(found.map(({ index, pattern }) => [index, pattern])).toEqual([
    [0, "/a: pattern"],
    [1, "/b: pattern"],
    [3, "/: required"],
  ]);
});
