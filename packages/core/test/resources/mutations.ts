import type { JsonObject, RestRoute } from "../../src/routes/index.js";
import { openApi } from "../../src/routes/index.js";
import { exampleValue } from "../../src/http/docs/example-value.js";

/** Mulberry32: the same seed gives the same requests. */
export function randomOf(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]! };
}
type Random = ReturnType<typeof randomOf>;

const texts = [
  ...["", " ", "x", "none", "null", "0", "-1", "1e309", "9007199254740993", "true", "a".repeat(5_000), "é", "\u0000", "\ud800", "😀"],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "../../etc/passwd",
    "%00",
    "%2e%2e%2f",
    "' or 1=1 --",
    "${x}",
    "{{x}}",
    "=1+1",
    "\r\nx: y",
    "\u202e",
  ],
];
const values: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e21, -1e-9, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, [], {}, [[]], [null], { a: 1 }],
  ...texts,
];
const bodies = [
  "",
  "{",
  "[]",
  "null",
  "1",
  '"x"',
  "{}{}",
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":true}}',
  `${"[".repeat(300)}${"]".repeat(300)}`,
  "\ufeff{}",
];
const types = [
  "application/json",
  "application/json; charset=utf-8",
  "text/plain",
  "application/merge-patch+json",
  "multipart/form-data",
  "application/xml",
  "",
];

/** What a request of the route looks like when it is right. */
export function examplesOf(routes: readonly RestRoute[]): ReadonlyMap<string, unknown> {
  const document = openApi("/") as { paths: Record<string, Record<string, JsonObject>>; components: { schemas: JsonObject } };
  const operations = new Map(
    Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .map((one) => [one["operationId"], one]),
  );
  return new Map(
    routes.map(({ name }) => {
      const content = (operations.get(name)?.["requestBody"] as { content?: Record<string, { schema: JsonObject }> } | undefined)?.content;
      const schema = content?.["application/json"]?.schema;
      return [name, schema === undefined ? {} : exampleValue(schema, document.components.schemas)];
    }),
  );
}

export interface Mutated {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | undefined;
}

/** A request of the route that is wrong in one or several ways, or in none. */
export function mutated(route: RestRoute, example: unknown, random: Random): Mutated {
  const { next, pick } = random;
  const path = route.path.replace(/\{\w+\+?\}/g, () => (next() < 0.3 ? "none" : encodeURIComponent(wellFormed(pick(texts))) || "none"));
  const names = [...Object.keys(route.query?.shape ?? {}), "unknown", "limit", "cursor", "sort", "__proto__"];
  const query = Array.from(
    { length: Math.floor(next() * 4) },
    () => `${pick(names)}=${encodeURIComponent(wellFormed(String(pick(values))))}`,
  );
  const headers: Record<string, string> = { "content-type": next() < 0.9 ? "application/json" : pick(types) };
  for (const name of [...Object.keys(route.headers?.shape ?? {}), "accept", "if-none-match"])
    if (next() < 0.2)
      headers[name] = pick(["", "x", '"1"', 'W/"9"', "*", "text/csv", "-1", "é".normalize("NFD").replace(/[^\x20-\x7e]/g, "?")]);
  const hasBody = route.method !== "GET";
  return { path: query.length === 0 ? path : `${path}?${query.join("&")}`, headers, body: hasBody ? bodyOf(example, random) : undefined };
}

function bodyOf(example: unknown, random: Random): string | Uint8Array {
  const { next, pick } = random;
  const kind = next();
  if (kind < 0.08) return pick(bodies);
  if (kind < 0.12) return new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
  if (kind < 0.2) return JSON.stringify(example);
  let value = structuredClone(example);
  for (let left = 1 + Math.floor(next() * 3); left > 0; left--) value = withChange(value, random);
  return JSON.stringify(value) ?? "";
}

function withChange(value: unknown, random: Random): unknown {
  const { next, pick } = random;
  if (typeof value !== "object" || value === null || next() < 0.1) return pick(values);
  if (Array.isArray(value))
    return value.length === 0 || next() < 0.2
      ? [...(value as unknown[]), pick(values)]
      : value.map((one: unknown, i) => (i === 0 ? withChange(one, random) : one));
  const entries = Object.entries(value);
  const at = Math.floor(next() * (entries.length + 1));
  if (at === entries.length)
    return { ...value, [pick(["extra", "id", "version", "project_id", "projectId", "constructor"])]: pick(values) };
  if (next() < 0.2) return Object.fromEntries(entries.filter((_, i) => i !== at));
  return Object.fromEntries(entries.map(([key, inner], i) => [key, i === at ? withChange(inner, random) : inner]));
}

function wellFormed(text: string): string {
  return text
    .replace(/[\ud800-\udfff]/g, (unit, i: number, all: string) =>
      /^[\ud800-\udbff][\udc00-\udfff]/.test(all.slice(i)) || i > 0 ? unit : "?",
    )
    .replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "?");
}
