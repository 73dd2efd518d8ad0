import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crypto } from "#platform";
import type { Caller, ModelHead, ProtocolId } from "../../calls/index.js";
import { routeSchema, type CacheRules, type RouteInput, type RouteRules } from "../../entities/index.js";
import type { Content } from "../step.js";
import { cacheKey } from "./cache-key.js";
import { canonicalText } from "./canonical-text.js";

const encoder = new TextEncoder();
const rulesOf = (over: Partial<RouteInput> = {}): RouteRules & { cache: CacheRules } =>
  routeSchema.parse({ targets: [{ model: "v/m" }], cache: { ttlMs: 60_000 }, ...over }) as RouteRules & { cache: CacheRules };
const plainRules = rulesOf();

interface Asked {
  readonly body: string;
  readonly protocol: ProtocolId;
  readonly name: string;
  readonly caller: Partial<Caller>;
  readonly path: { readonly model: string; readonly stream: boolean } | undefined;
  readonly headers: readonly (readonly [string, string])[] | undefined;
  readonly rules: Partial<RouteInput>;
  readonly replaced: Content | null;
}
const plain: Asked = {
  body: "{}",
  protocol: "openai-chat",
  name: "route/r",
  caller: {},
  path: undefined,
  headers: undefined,
  rules: {},
  replaced: null,
};

function keyOf(over: Partial<Asked>, stream = false): string {
  const asked = { ...plain, ...over };
  const bytes = encoder.encode(asked.body);
  const head: ModelHead = {
    ...{ kind: "model", protocol: asked.protocol, operation: "generate", name: asked.name, stream, maxOutputTokens: undefined },
    bytes: bytes.byteLength,
  };
  const caller: Caller = { kind: "key", id: "a", name: "a", keyId: "a", projects: ["p"], grants: ["*"], ...asked.caller };
  const content = (): Content => asked.replaced ?? { kind: "model", call: { model: asked.name, messages: [] } };
  const wire = { protocol: asked.protocol, bytes, path: asked.path, headers: asked.headers };
  return cacheKey(
    { head, caller, wire, isReplaced: asked.replaced !== null, content },
    over.rules === undefined ? plainRules : rulesOf(over.rules),
    crypto,
  ).key;
}

/** JSON as text, so that numbers and the order of names are what they are. */
const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom("null", "true", "false", "0", "-0", "1", "1.0", "1e400", "9007199254740992", "9007199254740993", '""', "{}", "[]"),
      fc.integer().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
      fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
    ),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
    fc
      .array(fc.tuple(fc.string({ maxLength: 6 }), tie("value")), { maxLength: 4 })
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`),
  ),
})).value;
const fieldNames = [
  "model",
  "messages",
  "tools",
  "tool_choice",
  "temperature",
  "top_p",
  "seed",
  "max_tokens",
  "response_format",
  "user",
  "metadata",
  "n",
  "stop",
  "reasoning_effort",
  "unknown",
];
const body = fc.uniqueArray(fc.tuple(fc.constantFrom(...fieldNames), jsonText), { selector: ([name]) => name, minLength: 1, maxLength: 8 });
type Fields = readonly (readonly [string, string])[];
const textOf = (fields: Fields): string => `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;

/** The meaning of JSON text, exactly: numbers by their digits, members by name, all of them. */
const meaning = (text: string): string => canonicalText(text, new Set());

describe("cache keys (T08)", () => {
  it("are never shared by two requests that differ in one field of the body: 20,000 pairs", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(body, fc.nat(), jsonText, fc.constantFrom("change", "leave out", "add", "rename"), (fields, at, value, how) => {
        const i = at % fields.length;
        const [name, before] = fields[i]!;
        const other: Fields =
          how === "leave out"
            ? fields.filter((_field, j) => j !== i)
            : how === "add"
              ? [...fields, ["added", value]]
              : fields.map((field, j) => (j !== i ? field : how === "rename" ? [`${name}s`, before] : [name, value]));
        const [one, two] = [textOf(fields), textOf(other)];
        const [a, b] = [keyOf({ body: one }), keyOf({ body: two })];
        expect(a === b).toBe(meaning(one) === meaning(two));
        // Nor by any two of all those that were made.
        for (const [key, text] of [
          [a, one],
          [b, two],
        ] as const) {
          const known = seen.get(key);
          if (known !== undefined && known !== text) expect([meaning(known), JSON.parse(known)]).toEqual([meaning(text), JSON.parse(text)]);
          seen.set(key, text);
        }
      }),
      { numRuns: 20_000 },
    );
    expect(seen.size).toBeGreaterThan(20_000);
  }, 120_000);

  it("are never shared by requests that differ beside the body", () => {
    const others: readonly Partial<Asked>[] = [
      { protocol: "anthropic-messages" },
      { name: "route/other" },
      { caller: { projects: ["q"] } },
      { caller: { projects: ["p", "q"] } },
      { path: { model: "route/r", stream: false } },
      { path: { model: "route/x", stream: false } },
      { headers: [["anthropic-beta", "a"]] },
      { headers: [["anthropic-beta", "b"]] },
      {
        headers: [
          ["anthropic-beta", "a"],
          ["x", "b"],
        ],
      },
      { rules: { targets: [{ model: "v/other" }] } },
      { rules: { cache: { ttlMs: 60_000, toolCalls: true } } },
      { rules: { cache: { ttlMs: 60_000, scope: "key" } } },
      { rules: { cache: { ttlMs: 60_000, scope: "key" } }, caller: { keyId: "b" } },
      { rules: { cache: { ttlMs: 60_000, scope: "key" } }, caller: { keyId: undefined, kind: "host", id: "b" } },
      { rules: { cache: { ttlMs: 60_000, scope: "key" } }, caller: { keyId: undefined, kind: "user", id: "b" } },
      { replaced: { kind: "model", call: { model: "route/r", messages: [] } } },
      {
        replaced: { kind: "model", call: { model: "route/r", messages: [{ role: "user", content: [{ type: "text", text: "masked" }] }] } },
      },
    ];
    const keys = [keyOf({}), ...others.map((other) => keyOf(other))];
    // Which further projects a caller may see changes nothing that it is answered with.
    expect(keys[4]).toBe(keys[0]);
    expect(new Set(keys).size).toBe(keys.length - 1);
  });

  it("cannot be made equal by moving the border between two parts", () => {
    const rules = { cache: { ttlMs: 60_000, scope: "key" as const } };
    const nested = (project: string, keyId: string) => keyOf({ caller: { projects: [project], keyId }, rules });
    expect(nested("p key:x", "y")).not.toBe(nested("p", "x key:y"));
    expect(nested('p","key","x', "y")).not.toBe(nested("p", 'x","key","y'));
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), (a, b, cut) => {
        const text = a + b;
        const i = cut % (text.length + 1);
        fc.pre(i !== a.length);
        expect(nested(a, b)).not.toBe(nested(text.slice(0, i), text.slice(i)));
      }),
      { numRuns: 500 },
    );
  });

  it("are made of nothing that was cut", () => {
    const source = readFileSync(new URL("./cache-key.ts", import.meta.url), "utf8");
    expect(source).not.toMatch(/\.(?:slice|substring|substr|subarray|at|charAt)\(/);
  });

  it("are whole SHA-256", () => {
    expect(keyOf({})).toMatch(/^[0-9a-f]{64}$/);
  });

  it("are the same however the request is to be sent back, spaced and ordered", () => {
    const one = keyOf({ body: '{"model":"route/r","messages":[{"role":"user","content":"a \\" {b"}],"n":1}' });
    for (const same of [
      '{"messages":[{"content":"a \\" {b","role":"user"}],"n":1,"model":"route/r"}',
      ' {\n"model" : "route/r" ,\t"n":1,"messages" : [ { "role" : "user","content":"a \\" {b" } ] }\n',
      '{"stream":true,"stream_options":{"include_usage":true},"model":"route/r","messages":[{"role":"user","content":"a \\" {b"}],"n":1}',
      '{"str\\u0065am":true,"model":"route/r","messages":[{"role":"user","content":"a \\" {b"}],"n":1}',
    ])
      expect(keyOf({ body: same }, true)).toBe(one);
    // Only the outermost stream says how; inside, it is content.
    expect(keyOf({ body: '{"a":{"stream":true}}' })).not.toBe(keyOf({ body: '{"a":{}}' }));
  });
});

describe("canonicalText", () => {
  it("means what the JSON meant", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(canonicalText(text, new Set()))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses what is no JSON", () => {
    for (const text of ["", "{", '{"a"}', '{"a":1', "[1", '"a', "{} {}", '{"a":1,}', "[,]"])
      expect(() => canonicalText(text, new Set())).toThrow(SyntaxError);
  });
});
