import type { z } from "zod";
import { GatewayError } from "../errors/index.js";
import { nearest } from "../util/nearest.js";

/** The part of a request that a value comes from: the start of every path in a message. */
export type Part = "body" | "query" | "path" | "header";

interface Problem {
  readonly path: string;
  readonly message: string;
}
const MOST_PROBLEMS = 20;

/** Errors: `validation_failed` that names the path of every problem, and for an unknown field the one that was probably meant. Never shows a value. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part: Part): z.output<S> {
  const result = schema.safeParse(value, { error: describe });
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, [])).slice(0, MOST_PROBLEMS);
  const named = problems.map(({ path, message }) => ({ path: path === "" ? part : part === "body" ? path : `${part}.${path}`, message }));
  throw new GatewayError("validation_failed", named.map(({ path, message }) => `${path}: ${message}`).join("; "), {
    details: { problems: named },
  });
}

/**
 * Fields that came as text: each at most once, and digits as a number where the schema takes no text.
 * Errors: `validation_failed`, also for a field given twice.
 */
export function validateText<S extends z.ZodObject>(schema: S, pairs: Iterable<readonly [string, string]>, part: Part): z.output<S> {
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of pairs) {
    if (name in fields) throw new GatewayError("validation_failed", `${part}.${name}: is given twice`, { hint: "Give it once." });
    const known = Object.hasOwn(schema.shape, name) ? (schema.shape[name] as z.ZodType) : undefined;
    const isNumber = /^-?\d{1,15}$/.test(value) && known !== undefined && !known.safeParse(value).success;
    fields[name] = isNumber ? Number(value) : value;
  }
  return validate(schema, { ...fields }, part);
}

/** An issue as it is told: of a union, the alternative that came closest. */
function problemsOf(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const closest = issue.errors.reduce((best, other) => (depth(other) > depth(best) ? other : best));
    if (depth(closest) > 0) return closest.flatMap((inner) => problemsOf(inner, path));
    const expected = issue.errors.flatMap((errors) => errors.flatMap((inner) => (inner.code === "invalid_type" ? [inner.expected] : [])));
    if (expected.length > 0) return [{ path: formatPath(path), message: `expected ${[...new Set(expected)].join(" or ")}` }];
  }
  return [{ path: formatPath(path), message: issue.message }];
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === "unrecognized_keys" ? 1 : 0)));
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`),
    "",
  );
}

/** Our words where zod's would leave the reader to guess; undefined: zod's own. */
function describe(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type" && issue.input === undefined) return "is required";
  if (issue.code !== "unrecognized_keys") return undefined;
  const known = knownFields(issue.inst);
  return (issue.keys as readonly string[])
    .map((key) => {
      const meant = nearest(key, known);
      const shown = key.length > 64 ? `${key.slice(0, 64)}…` : key;
      return meant === null
        ? `unknown field "${shown}"; known are ${known.join(", ")}`
        : `unknown field "${shown}"; did you mean "${meant}"?`;
    })
    .join("; ");
}

function knownFields(schema: unknown): string[] {
  const shape = (schema as { readonly shape?: unknown } | undefined)?.shape;
  return typeof shape === "object" && shape !== null ? Object.keys(shape) : [];
}
