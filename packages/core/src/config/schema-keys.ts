import { z } from "zod";
import type { ConfigPath } from "./config-path.js";

/** The schemas that a value at the path may have: more than one below a union. */
export function schemasAt(root: z.core.$ZodType, path: ConfigPath): readonly z.core.$ZodType[] {
  let schemas: readonly z.core.$ZodType[] = unwrap(root);
  for (const key of path) schemas = schemas.flatMap((schema) => inside(schema, key)).flatMap(unwrap);
  return schemas;
}

/** The keys that an object at the path may have; empty when there is none, or any key will do. */
export function keysAt(root: z.core.$ZodType, path: ConfigPath): readonly string[] {
  return [...new Set(schemasAt(root, path).flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : [])))];
}

/** Every path of the schema that passes through no name of the user's. */
export function fixedPaths(root: z.core.$ZodType): readonly ConfigPath[] {
  const found: ConfigPath[] = [];
  const visit = (schema: z.core.$ZodType, path: ConfigPath): void => {
    for (const inner of unwrap(schema)) {
      if (!(inner instanceof z.ZodObject)) continue;
      for (const [name, child] of Object.entries(inner.shape)) {
        found.push([...path, name]);
        visit(child as z.core.$ZodType, [...path, name]);
      }
    }
  };
  visit(root, []);
  return found;
}

function inside(schema: z.core.$ZodType, key: string | number): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    const child: unknown = typeof key === "string" && Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
    return child instanceof z.ZodType ? [child] : [];
  }
  if (schema instanceof z.ZodRecord) return [schema.valueType as z.core.$ZodType];
  if (schema instanceof z.ZodArray) return [schema.element as z.core.$ZodType];
  return [];
}

function unwrap(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrap(schema.def.innerType as z.core.$ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.def.in as z.core.$ZodType);
  if (schema instanceof z.ZodUnion) return (schema.options as readonly z.core.$ZodType[]).flatMap(unwrap);
  return [schema];
}
