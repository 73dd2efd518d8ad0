import { z } from "zod";
import { isObject } from "../../util/json.js";
import { snakeCase } from "./snake-case.js";

/**
 * How values of a schema travel: declared names of objects in snake_case at every depth, the names of a record and what no schema describes as they are. What a schema checks beyond its
 * structure (`refine` of an object) is not in `schema`: whoever reads a value checks it against the declared schema as well.
 */
export interface WireCodec {
  /** For what is sent whole. */
  readonly schema: z.ZodType;
  /** For a merge-patch of it: objects name what changes, and null takes away. No default is ever applied. */
  readonly patch: z.ZodType;
  readonly toWire: (value: unknown) => unknown;
  readonly fromWire: (value: unknown) => unknown;
}

interface Def {
  readonly type: string;
  readonly innerType: z.ZodType;
  readonly element: z.ZodType;
  readonly keyType: z.ZodType;
  readonly valueType: z.ZodType;
  readonly options: readonly z.ZodType[];
  readonly shape: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly checks?: readonly { readonly _zod: { readonly def: { readonly check: string } } }[];
  readonly defaultValue: unknown;
  readonly getter: () => z.ZodType;
}

const made = new WeakMap<z.ZodType, WireCodec>();

/** The codec of a schema: one a schema, made once. */
export function wireCodec(schema: z.ZodType): WireCodec {
  let codec = made.get(schema);
  if (codec === undefined) made.set(schema, (codec = described(schema, make(schema))));
  return codec;
}

/** The schema without the defaults around it: `.optional()` and `.partial()` alone would still apply them. */
export function withoutDefault(schema: z.ZodType): { readonly inner: z.ZodType; readonly hasDefault: boolean } {
  const def = defOf(schema);
  if (def.type !== "default" && def.type !== "prefault") return { inner: schema, hasDefault: false };
  const { inner } = withoutDefault(def.innerType);
  const { description } = schema;
  return { inner: description === undefined ? inner : inner.describe(description), hasDefault: true };
}

const same = (value: unknown): unknown => value;
const plain = (schema: z.ZodType): WireCodec => ({ schema, patch: schema, toWire: same, fromWire: same });

function make(schema: z.ZodType): WireCodec {
  const def = defOf(schema);
  switch (def.type) {
    case "object":
      return ofObject(def);
    case "array":
      return ofArray(schema, def);
    case "record":
      return ofRecord(schema, def);
    case "union":
      return ofUnion(def);
    case "lazy":
      return ofLazy(def);
    case "nullable":
    case "optional":
    case "readonly":
      return ofWrapper(def);
    case "default":
    case "prefault":
      return ofDefault(def);
    default:
      return plain(schema);
  }
}

function ofObject(def: Def): WireCodec {
  const fields = Object.entries(def.shape).map(([name, schema]) => ({ name, wire: snakeCase(name), codec: wireCodec(schema) }));
  const shape = Object.fromEntries(fields.map(({ wire, codec }) => [wire, codec.schema]));
  const patched = Object.fromEntries(fields.map(({ name, wire }) => [wire, patchOf(def.shape[name]!)]));
  const isOpen = def.catchall !== undefined && defOf(def.catchall).type !== "never";
  const close = (object: Record<string, z.ZodType>): z.ZodType => (isOpen ? z.looseObject(object) : z.strictObject(object));
  const rename = (from: "name" | "wire", to: "name" | "wire", how: "toWire" | "fromWire") => {
    const byName = new Map(fields.map((field) => [field[from], field]));
    return (value: unknown): unknown => {
      if (!isObject(value)) return value;
      const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
        const field = byName.get(key);
        return field === undefined ? [key, inner] : [field[to], field.codec[how](inner)];
      });
      return Object.fromEntries(entries);
    };
  };
  return {
    schema: close(shape),
    patch: close(patched),
    toWire: rename("name", "wire", "toWire"),
    fromWire: rename("wire", "name", "fromWire"),
  };
}

/** One field in a merge-patch of its object: left out, it stays; null takes it away where it need not be there. */
export function patchOf(schema: z.ZodType): z.ZodType {
  const { inner, hasDefault } = withoutDefault(schema);
  const { patch } = wireCodec(inner);
  const mayGo = hasDefault || inner.safeParse(undefined).success || inner.safeParse(null).success;
  const given = mayGo ? patch.nullable() : patch;
  const { description } = schema;
  return (description === undefined ? given : given.describe(description)).optional();
}

function ofArray(schema: z.ZodType, def: Def): WireCodec {
  const item = wireCodec(def.element);
  if (item.toWire === same) return plain(schema);
  const each = (how: "toWire" | "fromWire") => (value: unknown) => (Array.isArray(value) ? value.map(item[how]) : value);
  const array = rebuilt(schema, def, { element: item.schema });
  return { schema: array, patch: array, toWire: each("toWire"), fromWire: each("fromWire") };
}

function ofRecord(schema: z.ZodType, def: Def): WireCodec {
  const value = wireCodec(def.valueType);
  const patch = z.record(def.keyType as z.ZodString, value.patch.nullable());
  if (value.toWire === same) return { ...plain(schema), patch };
  const each = (how: "toWire" | "fromWire") => (given: unknown) =>
    isObject(given) ? Object.fromEntries(Object.entries(given).map(([key, inner]) => [key, value[how](inner)])) : given;
  return { schema: rebuilt(schema, def, { valueType: value.schema }), patch, toWire: each("toWire"), fromWire: each("fromWire") };
}

function ofUnion(def: Def): WireCodec {
  const options = def.options.map((schema) => ({ schema, codec: wireCodec(schema) }));
  const schema = z.union(options.map(({ codec }) => codec.schema) as [z.ZodType, z.ZodType]);
  const patch = z.union(options.map(({ codec }) => codec.patch) as [z.ZodType, z.ZodType]);
  if (options.every(({ codec }) => codec.toWire === same)) return { schema, patch, toWire: same, fromWire: same };
  return {
    schema,
    patch,
    toWire: (value) => (options.find((option) => option.schema.safeParse(value).success) ?? options[0]!).codec.toWire(value),
    fromWire: (value) => (options.find(({ codec }) => codec.schema.safeParse(value).success) ?? options[0]!).codec.fromWire(value),
  };
}

/** What refers to itself is looked at when it is needed, not before. */
function ofLazy(def: Def): WireCodec {
  const codec = (): WireCodec => wireCodec(def.getter());
  return {
    schema: z.lazy(() => codec().schema),
    patch: z.lazy(() => codec().patch),
    toWire: (value) => codec().toWire(value),
    fromWire: (value) => codec().fromWire(value),
  };
}

function ofWrapper(def: Def): WireCodec {
  const inner = wireCodec(def.innerType);
  const wrap = (schema: z.ZodType): z.ZodType =>
    def.type === "nullable" ? schema.nullable() : def.type === "optional" ? schema.optional() : schema;
  const past = (how: "toWire" | "fromWire") => (value: unknown) => (value === null || value === undefined ? value : inner[how](value));
  const isSame = inner.toWire === same;
  return {
    schema: wrap(inner.schema),
    patch: wrap(inner.patch),
    toWire: isSame ? same : past("toWire"),
    fromWire: isSame ? same : past("fromWire"),
  };
}

function ofDefault(def: Def): WireCodec {
  const inner = wireCodec(def.innerType);
  const value = inner.toWire(def.defaultValue);
  const schema = def.type === "default" ? inner.schema.default(value) : (inner.schema.prefault(value as never) as z.ZodType);
  return { ...inner, schema };
}

/** The schema with other parts; the limits of its size stay, checks by functions do not: they would see other names. */
function rebuilt(schema: z.ZodType, def: Def, parts: object): z.ZodType {
  const checks = (def.checks ?? []).filter(({ _zod }) => _zod.def.check !== "custom");
  return schema.clone({ ...def, ...parts, checks } as never) as z.ZodType;
}

function described(original: z.ZodType, codec: WireCodec): WireCodec {
  const { description } = original;
  if (description === undefined || codec.schema === original) return codec;
  return { ...codec, schema: codec.schema.describe(description), patch: codec.patch.describe(description) };
}

function defOf(schema: z.ZodType): Def {
  return schema._zod.def as unknown as Def;
}
