import { describe, expect, it } from "vitest";
import { fromOpenApi } from "./from-open-api.js";
import { toGoogleSchema } from "./to-google-schema.js";

/** The schema as Google gets it, and the places that were told. */
function reshaped(schema: unknown) {
  const told: string[] = [];
  return { schema: toGoogleSchema(schema, "s", (field) => void told.push(field)), told };
}

describe("94: a JSON Schema in the part of it that Google knows", () => {
  it("keeps what is known as it is, references and recursion too", () => {
    const schema = {
      $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } } } },
      type: "object",
      title: "t",
      description: "d",
      properties: {
        a: { type: ["string", "null"], enum: ["x", "y"] },
        b: { type: "array", items: { type: "integer", minimum: 1, maximum: 9 }, minItems: 1, maxItems: 2 },
        c: { anyOf: [{ type: "string", format: "date-time" }, { type: "null" }] },
        d: { oneOf: [{ type: "number" }, { type: "boolean" }] },
        e: { $ref: "#/$defs/node" },
        f: { type: "array", prefixItems: [{ type: "string" }] },
      },
      required: ["a"],
      additionalProperties: false,
    };
    expect(reshaped(schema)).toEqual({ schema, told: [] });
  });

  it.each([
    ["pattern", { type: "string", pattern: "^a" }, { type: "string" }, ["s.pattern"]],
    ["format", { type: "string", format: "uri" }, { type: "string" }, ["s.format"]],
    ["propertyNames", { type: "object", propertyNames: { pattern: "a" } }, { type: "object" }, ["s.propertyNames"]],
    ["default and examples", { type: "string", default: "a", examples: ["b"] }, { type: "string" }, ["s.default", "s.examples"]],
    ["lengths", { type: "string", minLength: 1, maxLength: 2 }, { type: "string" }, ["s.minLength", "s.maxLength"]],
    ["const", { const: "a" }, { enum: ["a"], type: "string" }, ["s.const"]],
    ["a const of null", { const: null }, { type: "null" }, []],
    ["a const of true", { const: true }, { type: "boolean" }, ["s.const"]],
    ["an enum of numbers", { enum: [1, 2] }, { enum: [1, 2], type: "number" }, []],
    ["an enum with null", { type: "string", enum: ["a", null] }, { anyOf: [{ type: "string", enum: ["a"] }, { type: "null" }] }, []],
    [
      "exclusive limits of whole numbers",
      { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 9 },
      { type: "integer", minimum: 1, maximum: 8 },
      ["s.exclusiveMinimum", "s.exclusiveMaximum"],
    ],
    ["exclusive limits of numbers", { type: "number", exclusiveMinimum: 0 }, { type: "number", minimum: 0 }, ["s.exclusiveMinimum"]],
    [
      "an exclusive limit that says nothing more",
      { type: "integer", minimum: 5, exclusiveMinimum: 0 },
      { type: "integer", minimum: 5 },
      ["s.exclusiveMinimum"],
    ],
    [
      "an old exclusive limit",
      { type: "integer", minimum: 5, exclusiveMinimum: true },
      { type: "integer", minimum: 6 },
      ["s.exclusiveMinimum"],
    ],
    ["nullable", { type: "string", nullable: true }, { type: ["string", "null"] }, []],
    [
      "definitions",
      { definitions: { a: { type: "string" } }, $ref: "#/definitions/a" },
      { $defs: { a: { type: "string" } }, $ref: "#/$defs/a" },
      [],
    ],
    ["what stands beside a reference", { $ref: "#/$defs/a", description: "d" }, { $ref: "#/$defs/a" }, ["s.description"]],
    ["allOf of one", { allOf: [{ type: "string" }] }, { type: "string" }, []],
    [
      "allOf of several",
      {
        type: "object",
        properties: { a: {} },
        required: ["a"],
        allOf: [
          { properties: { b: {} }, required: ["b"] },
          { title: "t", type: "array" },
        ],
      },
      { type: "object", properties: { b: {}, a: {} }, required: ["a", "b"], title: "t" },
      ["s.allOf[1].type", "s.allOf"],
    ],
    ["what says nothing", { $schema: "x", $comment: "y", type: "string" }, { type: "string" }, []],
    ["a schema that is true", { type: "array", items: true }, { type: "array", items: {} }, []],
    [
      "a list of items",
      { type: "array", items: [{ const: 1 }] },
      { type: "array", prefixItems: [{ enum: [1], type: "number" }] },
      ["s.items[0].const"],
    ],
  ])("%s", (_name, given, schema, told) => {
    expect(reshaped(given)).toEqual({ schema, told });
  });

  it("tells each place by its name", () => {
    const { told } = reshaped({
      type: "object",
      properties: { a: { type: "array", items: { type: "string", pattern: "x" } } },
      additionalProperties: { type: "string", format: "email" },
      $defs: { d: { if: {} } },
    });
    expect(told).toEqual(["s.properties.a.items.pattern", "s.additionalProperties.format", "s.$defs.d.if"]);
  });

  it("leaves a property called __proto__ one", () => {
    const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string","pattern":"x"}}}') as unknown;
    expect(JSON.stringify(reshaped(schema).schema)).toBe('{"type":"object","properties":{"__proto__":{"type":"string"}}}');
  });
});

describe("Google's own form as JSON Schema", () => {
  it.each([
    [
      { type: "STRING", format: "enum", enum: ["a"] },
      { type: "string", enum: ["a"] },
    ],
    [
      { type: "STRING", enum: ["a"], nullable: true },
      { type: ["string", "null"], enum: ["a", null] },
    ],
    [{ anyOf: [{ type: "STRING" }], nullable: true }, { anyOf: [{ type: "string" }, { type: "null" }] }],
    [{ type: "TYPE_UNSPECIFIED", description: "d" }, { description: "d" }],
    [
      { type: "ARRAY", min_items: "1", max_items: 2, items: { type: "NUMBER" } },
      { type: "array", minItems: 1, maxItems: 2, items: { type: "number" } },
    ],
  ])("%j", (given, schema) => {
    expect(fromOpenApi(given)).toEqual(schema);
  });
});
