import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { bool, defineEntity, field, int, json, longText, text, type AnyEntity } from "../../entities/index.js";
import { validate } from "../validate.js";
import { createSchema } from "./create-schema.js";
import { deriveResource, deriveResources, mergePatch } from "./index.js";
import { listQuery, sortFields } from "./list-query.js";
import { replaceSchema } from "./replace-schema.js";
import { createdFields, patchedFields, replacedFields } from "./row-input.js";
import { snakeCase } from "./snake-case.js";
import { updateSchema } from "./update-schema.js";
import { toView, viewSchema } from "./view.js";
import { wireCodec } from "./wire-codec.js";

const inner = z.strictObject({
  maxCalls: z.int().default(5),
  windowMs: z.int().optional(),
  byName: z.record(z.string(), z.strictObject({ atMs: z.int() })).default({}),
});
const rule = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("words"), wordList: z.array(z.string()).min(1) }),
  z.strictObject({ type: z.literal("size"), maxBytes: z.int() }),
]);
const widget = defineEntity({
  name: "widgetKind",
  table: "widgets",
  kind: "record",
  scope: "projectId",
  rest: { type: "widget-kind", plural: "widget-kinds", permission: "widgets", verbs: ["list", "get", "create", "update", "delete"] },
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64), filter: true }),
    keyName: field(z.string().min(1), { access: "create-only", column: text(40), filter: true, sort: true }),
    isOn: field(z.boolean().default(true), { access: "open", column: bool, filter: true }),
    limits: field(inner.prefault({}), { access: "open", column: json }),
    rules: field(z.array(rule).max(3).default([]), { access: "open", column: json }),
    labels: field(z.record(z.string(), z.string()).default({}), { access: "open", column: json }),
    noteText: field(z.string().nullable(), { access: "open", column: text(100) }),
    apiSecret: field(z.string().nullable().default(null), { access: "secret", column: longText }),
    mustSecret: field(z.string(), { access: "secret", column: longText }),
    digest: field(z.string(), { access: "hashed", column: text(64) }),
    seenAtMs: field(z.int().nullable(), { access: "server", column: int, touch: true }),
    unindexed: field(z.string().default(""), { access: "open", column: text(10), filter: true, sort: true }),
  },
  unique: [["keyName"]],
  indexes: [["isOn"], ["projectId", "createdAtMs"]],
}) as unknown as AnyEntity;

const row = {
  id: "w1",
  version: 3,
  createdAtMs: 1,
  updatedAtMs: 2,
  projectId: "default",
  keyName: "a",
  isOn: false,
  limits: { maxCalls: 7, windowMs: 10, byName: { someOne: { atMs: 4 } } },
  rules: [{ type: "words", wordList: ["x"] }],
  labels: { teamName: "red" },
  noteText: "kept",
  apiSecret: "sealed-text",
  mustSecret: "sealed-too",
  digest: "0".repeat(64),
  seenAtMs: null,
  unindexed: "u",
};

describe("the view of a row", () => {
  it("is in snake_case at every depth of what is declared, shows no digest, and of a secret only that it is set", () => {
    const view = toView(widget, row);
    expect(view).toEqual({
      ...{ id: "w1", project_id: "default", key_name: "a", is_on: false, note_text: "kept", seen_at_ms: null, unindexed: "u" },
      limits: { max_calls: 7, window_ms: 10, by_name: { someOne: { at_ms: 4 } } },
      rules: [{ type: "words", word_list: ["x"] }],
      labels: { teamName: "red" },
      api_secret: { set: true },
      must_secret: { set: true },
      ...{ origin: "database", version: 3, created_at_ms: 1, updated_at_ms: 2 },
    });
    expect(viewSchema(widget).parse(view)).toEqual(view);
    expect(Object.keys(view)).toEqual(Object.keys(viewSchema(widget).shape));
    expect(JSON.stringify(toView(widget, { ...row, apiSecret: null }))).toContain('"api_secret":{"set":false}');
    expect(JSON.stringify(view)).not.toMatch(/sealed|000000/);
  });
});

describe("the schemas of what is written", () => {
  it("of a creation takes what people set, and fills in what is left out", () => {
    const body = createSchema(widget).parse({ key_name: "b", must_secret: "s3cret", limits: { window_ms: 9 } });
    expect(createdFields(widget, body)).toEqual({
      ...{
        projectId: null,
        keyName: "b",
        isOn: true,
        rules: [],
        labels: {},
        noteText: null,
        apiSecret: null,
        mustSecret: "s3cret",
        unindexed: "",
      },
      limits: { maxCalls: 5, windowMs: 9, byName: {} },
    });
    for (const name of ["id", "version", "digest", "seen_at_ms", "origin", "keyName", "created_at_ms"])
      expect([name, createSchema(widget).safeParse({ key_name: "b", must_secret: "s", [name]: 1 }).success]).toEqual([name, false]);
    expect(createSchema(widget).safeParse({ key_name: "b" }).success).toBe(false);
    expect(createSchema(widget).safeParse({ key_name: "b", must_secret: { set: true } }).success).toBe(false);
  });

  it("of a merge-patch applies no default: an empty one changes nothing", () => {
    expect(updateSchema(widget).parse({})).toEqual({});
    expect(patchedFields(widget, row, updateSchema(widget).parse({ limits: {} }))).toEqual({ limits: row.limits });
    const patch = updateSchema(widget).parse({
      limits: { window_ms: null, by_name: { other: { at_ms: 1 } } },
      labels: { teamName: null, b: "c" },
    });
    expect(patchedFields(widget, row, patch)).toEqual({
      limits: { maxCalls: 7, byName: { someOne: { atMs: 4 }, other: { atMs: 1 } } },
      labels: { b: "c" },
    });
    expect(patchedFields(widget, row, updateSchema(widget).parse({ note_text: null, limits: { max_calls: null }, is_on: null }))).toEqual({
      noteText: null,
      isOn: true,
      limits: { ...row.limits, maxCalls: 5 },
    });
    expect(updateSchema(widget).safeParse({ key_name: "other" }).success).toBe(false);
    const gone = { limits: { by_name: { x: { at_ms: null } } } };
    expect(() => validate(updateSchema(widget), gone, "body")).toThrow("limits.by_name.x.at_ms");
    expect(() => patchedFields(widget, row, { limits: { by_name: { x: {} } } })).toThrow("limits.by_name.x.at_ms");
  });

  it("keeps, sets and clears secrets by name", () => {
    const changed = (patch: object) => patchedFields(widget, row, updateSchema(widget).parse(patch));
    expect(changed({ api_secret: "new" })).toEqual({ apiSecret: "new" });
    expect(changed({ api_secret: null })).toEqual({ apiSecret: null });
    expect(changed({ api_secret: { set: true } })).toEqual({});
    expect(updateSchema(widget).safeParse({ must_secret: null }).success).toBe(false);
  });

  it("of a replacement takes back what a view showed, resets what is left out, and keeps secrets and what is set once", () => {
    const replaced = (body: object) => replacedFields(widget, row, replaceSchema(widget).parse(body));
    const { id: _i, origin: _o, version: _v, created_at_ms: _c, updated_at_ms: _u, seen_at_ms: _s, ...shown } = toView(widget, row);
    expect(replaced(shown)).toEqual({
      ...{ isOn: false, limits: row.limits, rules: row.rules, labels: row.labels, noteText: "kept", unindexed: "u" },
    });
    expect(replaced({})).toEqual({ isOn: true, limits: { maxCalls: 5, byName: {} }, rules: [], labels: {}, noteText: null, unindexed: "" });
    expect(() => replaced({ key_name: "other" })).toThrow("key_name: is set once");
    expect(replaceSchema(widget).safeParse({ version: 3 }).success).toBe(false);
  });

  it("of a list offers only what has an index", () => {
    const shape = Object.keys(listQuery(widget).shape);
    expect(shape).toEqual(["project_id", "key_name", "is_on", "sort", "limit", "cursor", "format"]);
    expect(sortFields(widget).map(({ wire }) => wire)).toEqual(["key_name", "created_at_ms", "id"]);
    expect(listQuery(widget).parse({})).toMatchObject({ sort: "-created_at_ms", limit: 20 });
  });
});

describe("names and values on the wire", () => {
  it("come back as they were, whatever a schema allows", () => {
    const value = fc.record({
      maxCalls: fc.nat(),
      byName: fc.dictionary(
        fc.string().filter((key) => key !== "__proto__"),
        fc.record({ atMs: fc.nat() }),
      ),
    });
    const rules = fc.array(
      fc.oneof(
        fc.record({ type: fc.constant("words"), wordList: fc.array(fc.string(), { minLength: 1 }) }),
        fc.record({ type: fc.constant("size"), maxBytes: fc.nat() }),
      ),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(value, rules, (limits, list) => {
        for (const [schema, given] of [
          [inner, limits],
          [z.array(rule), list],
          [z.array(rule).nullable().default(null), list],
          [z.union([z.string(), inner]), limits],
        ] as const) {
          const codec = wireCodec(schema as z.ZodType);
          const onWire = codec.toWire(given);
          expect(codec.schema.safeParse(onWire).success).toBe(true);
          expect(codec.fromWire(onWire)).toEqual(given);
        }
      }),
    );
  });

  it("follow what refers to itself", () => {
    type Tree = { nodeName: string; subTrees?: Tree[] | undefined };
    const tree: z.ZodType<Tree> = z.lazy(() => z.strictObject({ nodeName: z.string(), subTrees: z.array(tree).optional() }));
    const codec = wireCodec(tree);
    const value = { nodeName: "a", subTrees: [{ nodeName: "b" }] };
    expect(codec.toWire(value)).toEqual({ node_name: "a", sub_trees: [{ node_name: "b" }] });
    expect(codec.fromWire(codec.toWire(value))).toEqual(value);
    expect(codec.schema.safeParse({ node_name: "a", subTrees: [] }).success).toBe(false);
  });

  it("are in snake_case", () => {
    expect(["createdAtMs", "id", "p95Ms", "isOn"].map(snakeCase)).toEqual(["created_at_ms", "id", "p95_ms", "is_on"]);
  });
});

describe("merge-patch", () => {
  // Source: RFC 7396, appendix A
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("makes of %j with %j: %j", (target, patch, result) => {
    const before = JSON.stringify([target, patch]);
    expect(mergePatch(target, patch)).toEqual(result);
    expect(JSON.stringify([target, patch])).toBe(before);
  });

  it("with itself changes nothing, and with nothing changes nothing", () => {
    const object = fc.dictionary(
      fc.string(),
      fc.jsonValue().filter((value) => !JSON.stringify(value).includes("null")),
    );
    fc.assert(
      fc.property(object, (value) => {
        expect(mergePatch(value, {})).toEqual(value);
        expect(mergePatch(value, value)).toEqual(value);
      }),
    );
  });

  it("reaches no prototype (T43)", () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(Object.hasOwn(merged as object, "__proto__")).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});

describe("the routes of a resource", () => {
  it("are those of its verbs, idiomatic and generic", () => {
    const resource = deriveResource(widget)!;
    expect(resource.routes.map(({ route }) => `${route.method} ${route.path}`)).toEqual([
      ...["GET /api/v1/widget-kinds", "GET /api/v1/list/widget-kinds", "GET /api/v1/widget-kinds/{id}"],
      ...["POST /api/v1/widget-kinds", "POST /api/v1/add/widget-kind"],
      ...["PATCH /api/v1/widget-kinds/{id}", "PUT /api/v1/widget-kinds/{id}"],
      ...["PATCH /api/v1/update/widget-kind/{id}", "PUT /api/v1/update/widget-kind/{id}"],
      ...["DELETE /api/v1/widget-kinds/{id}", "DELETE /api/v1/del/widget-kind/{id}", "POST /api/v1/widget-kinds/bulk"],
    ]);
    for (const { verb, route } of resource.routes) {
      const name = verb === "list" || verb === "get" ? "read" : "write";
      expect(route.permission).toEqual({ what: "widgets", name });
    }
    const machine = deriveResource({ ...widget, rest: { ...widget.rest!, verbs: ["list"] } })!;
    expect(machine.routes.map(({ verb }) => verb)).toEqual(["list", "list"]);
    expect(deriveResource({ ...widget, rest: null })).toBeNull();
  });

  it("give way to a route that was written by hand, whatever its parameters are called", () => {
    const [byHand] = deriveResource(widget)!.routes.filter(({ verb }) => verb === "get");
    const own = { ...byHand!.route, path: "/api/v1/widget-kinds/{name}" };
    const [resource] = deriveResources([widget], [own]);
    expect(resource!.routes.map(({ verb }) => verb)).not.toContain("get");
    expect(resource!.routes).toHaveLength(11);
  });
});
