import { z } from "zod";

export type JsonObject = { [name: string]: unknown };

/** The named schemas of one document, and the way from zod to them. */
export class JsonSchemas {
  /** `components/schemas`. */
  readonly components: JsonObject = {};
  readonly #names = new Map<z.ZodType, string>();

  /** Gives a schema a name: wherever it stands as it is, the document refers to it. */
  name(schema: z.ZodType, name: string, io: "input" | "output"): void {
    if (this.#names.has(schema)) return;
    this.#names.set(schema, name);
    this.components[name] = this.#written(schema, name, io);
  }

  /** The JSON Schema (2020-12) of a schema; `place` names what of it refers to itself. */
  of(schema: z.ZodType, place: string, io: "input" | "output"): JsonObject {
    const name = this.#names.get(schema);
    return name === undefined ? this.#written(schema, place, io) : { $ref: `#/components/schemas/${name}` };
  }

  #written(schema: z.ZodType, place: string, io: "input" | "output"): JsonObject {
    const override = ({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: JsonObject }): void => {
      const name = zodSchema === schema ? undefined : this.#names.get(zodSchema as z.ZodType);
      if (name === undefined) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema["$ref"] = `#/components/schemas/${name}`;
    };
    const {
      $schema: _,
      $defs: defs,
      ...rest
    } = z.toJSONSchema(schema, { io, unrepresentable: "any", override: override as never }) as JsonObject;
    if (defs === undefined && !JSON.stringify(rest).includes('"$ref":"#"')) return rest;
    return this.#hoisted(rest, (defs ?? {}) as JsonObject, place);
  }

  /** What a schema defines for itself stands among the components: references are resolved against the whole document. */
  #hoisted(schema: JsonObject, defs: JsonObject, place: string): JsonObject {
    const prefix = place.replace(/[^A-Za-z0-9]+/g, "_");
    const refer = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(refer);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, key === "$ref" && typeof inner === "string" ? target(inner) : refer(inner)]),
      );
    };
    const target = (ref: string): string => {
      if (ref === "#") return `#/components/schemas/${prefix}`;
      return ref.startsWith("#/$defs/") ? `#/components/schemas/${prefix}_${ref.slice("#/$defs/".length).replace(/^_+/, "")}` : ref;
    };
    for (const [name, def] of Object.entries(defs)) this.components[`${prefix}_${name.replace(/^_+/, "")}`] = refer(def);
    const written = refer(schema) as JsonObject;
    if (JSON.stringify(written).includes(`"#/components/schemas/${prefix}"`)) {
      this.components[prefix] = written;
      return { $ref: `#/components/schemas/${prefix}` };
    }
    return written;
  }
}
