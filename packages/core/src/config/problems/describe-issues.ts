import { z } from "zod";
import { nearest } from "../../util/nearest.js";
import { formatPath, isPlainObject, valueAt, type ConfigPath } from "../config-path.js";
import type { Problem } from "./problems.js";
import { fixedPaths, keysAt, schemasAt } from "../schema-keys.js";

type Issue = z.core.$ZodIssue;
interface Context {
  readonly root: z.core.$ZodType;
  readonly input: unknown;
  /** Whether the text at the path may be shown: not when a variable was put into it. */
  showable(path: ConfigPath): boolean;
}

/** What zod found, in words: path, what is there, what is expected, the fix. Text is never repeated, but for a word where a word of a list is expected. */
export function describeIssues(issues: readonly Issue[], context: Context): Problem[] {
  return issues.flatMap((issue) => describeIssue(issue, issue.path as ConfigPath, context));
}

function describeIssue(issue: Issue, path: ConfigPath, context: Context): Problem[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, path, context));
    case "invalid_key":
      return [
        {
          path,
          what: `${JSON.stringify(path[path.length - 1])} cannot be a name here`,
          fix: issue.issues[0]?.message ?? "choose another name",
        },
      ];
    case "invalid_union":
      return union(issue, path, context);
    case "invalid_format":
      return [wrongFormat(issue.message, path, context)];
    case "custom":
      return [{ path, what: issue.message, fix: String(issue.params?.["fix"] ?? "correct it") }];
    default:
      return [wrongValue(path, context)];
  }
}

function unknownKey(key: string, path: ConfigPath, { root }: Context): Problem {
  const known = keysAt(root, path);
  const problem = { path: [...path, key], what: "is not a known key" };
  if (known.includes(key))
    return { path: [...path, key], what: `"${key}" does not go together with the other keys here`, fix: `remove "${key}", or the others` };
  const meant = nearest(key, known);
  if (meant !== null) {
    const style = /[_-]/.test(key) ? " (keys are camelCase)" : "";
    return { ...problem, fix: `did you mean "${meant}"${style}? Rename it` };
  }
  const paths = fixedPaths(root);
  const name = nearest(
    key,
    paths.map((item) => String(item[item.length - 1])),
  );
  const elsewhere = paths.find((item) => item[item.length - 1] === name);
  if (elsewhere !== undefined) return { ...problem, fix: `did you mean ${formatPath(elsewhere)}? Move it there` };
  return { ...problem, fix: known.length === 0 ? "remove it" : `remove it; known here: ${known.join(", ")}` };
}

/** A union of text and object, or of objects: says what is wrong with the shape that was most likely meant. */
function union(issue: Issue & { code: "invalid_union" }, path: ConfigPath, context: Context): Problem[] {
  const input = valueAt(context.input, path);
  const branches = issue.errors.map((errors) => [...errors]);
  const inner = branches.filter((errors) => !errors.some((error) => error.path.length === 0 && error.code === "invalid_type"));
  if (inner.length === 0) return [wrongValue(path, context)];
  const fewest = Math.min(...inner.map((errors) => errors.length));
  const likely = inner.filter((errors) => errors.length === fewest);
  if (likely.length > 1 && isPlainObject(input)) return undecided(likely, path, context);
  return (likely[likely.length - 1] ?? []).flatMap((error) => describeIssue(error, [...path, ...(error.path as ConfigPath)], context));
}

function undecided(branches: readonly (readonly Issue[])[], path: ConfigPath, context: Context): Problem[] {
  const known = keysAt(context.root, path);
  const unknown = Object.keys(valueAt(context.input, path) as object).filter((key) => !known.includes(key));
  const problems = unknown.map((key) => unknownKey(key, path, context));
  if (problems.some((problem) => problem.fix.includes("did you mean"))) return problems;
  const missing = branches.flatMap((issues) =>
    issues.flatMap((issue) => (issue.code === "invalid_type" && issue.path.length === 1 ? [`"${String(issue.path[0])}"`] : [])),
  );
  const choice = [...new Set(missing)];
  if (choice.length > 0) return [...problems, { path, what: `has neither ${choice.join(" nor ")}`, fix: `add ${choice.join(" or ")}` }];
  const clashing = branches.flatMap((issues) => issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : [])));
  const keys = [...new Set(clashing)].map((key) => `"${key}"`).join(" and ");
  return [...problems, { path, what: `${keys} do not go together`, fix: "keep the keys of one kind and remove the others" }];
}

function wrongFormat(expected: string, path: ConfigPath, context: Context): Problem {
  const value = valueAt(context.input, path);
  const what = `${found(value)} that is not ${expected}`;
  const isAddress = typeof value === "string" && /^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)*):\d{1,5}(\/[\w./-]*)?$/i.test(value);
  if (isAddress && expected.startsWith("an http(s) URL") && context.showable(path)) return { path, what, fix: `write http://${value}` };
  return { path, what, fix: `write ${expected}` };
}

function wrongValue(path: ConfigPath, context: Context): Problem {
  const value = valueAt(context.input, path);
  const schemas = schemasAt(context.root, path).filter((schema) => !(schema instanceof z.ZodCustom));
  const words = schemas.flatMap((schema) => (schema instanceof z.ZodEnum ? schema.options.map(String) : []));
  const expected = describeSchemas(schemas);
  const last = path[path.length - 1];
  if (value === undefined) return { path, what: `is missing; expected ${expected}`, fix: `add ${JSON.stringify(last)}` };
  if (typeof value === "string" && words.length > 0) {
    const meant = nearest(value, words);
    const shown = value.length <= 24 && context.showable(path) ? JSON.stringify(value) : "found text that";
    return { path, what: `${shown} is not ${expected}`, fix: meant === null ? "use one of these" : `did you mean "${meant}"?` };
  }
  return { path, what: `${found(value)}, expected ${expected}`, fix: fixForType(value, schemas, expected) };
}

function fixForType(value: unknown, schemas: readonly z.core.$ZodType[], expected: string): string {
  const takes = (kind: typeof z.ZodNumber | typeof z.ZodBoolean | typeof z.ZodArray): boolean =>
    schemas.some((schema) => schema instanceof kind);
  if (typeof value === "string" && takes(z.ZodNumber) && /^-?\d+$/.test(value)) return "write the number without quotes";
  if (typeof value === "string" && takes(z.ZodBoolean) && /^(true|false)$/i.test(value))
    return `write ${value.toLowerCase()} without quotes`;
  if (takes(z.ZodArray) && !Array.isArray(value)) return "put it into a list: [ … ]";
  return `write ${expected}`;
}

/** What is there, without saying it, unless it is a number or a boolean. */
function found(value: unknown): string {
  if (value === null) return "found null";
  if (typeof value === "number" || typeof value === "boolean") return `found ${String(value)}`;
  if (typeof value === "string") return value === "" ? "found empty text" : "found text";
  if (Array.isArray(value)) return value.length === 0 ? "found an empty list" : "found a list";
  return isPlainObject(value) ? "found an object" : `found a value of type ${typeof value}`;
}

/** What any of these takes, in words. */
export function describeSchemas(schemas: readonly z.core.$ZodType[]): string {
  const words = schemas.flatMap((schema) => (schema instanceof z.ZodEnum ? schema.options.map(String) : []));
  const kinds = schemas.filter((schema) => !(schema instanceof z.ZodEnum)).map(describeSchema);
  return [...new Set([...(words.length > 0 ? [`one of ${words.join(", ")}`] : []), ...kinds])].join(" or ");
}

function describeSchema(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodNumber) return describeNumber(schema);
  if (schema instanceof z.ZodBoolean) return "true or false";
  if (schema instanceof z.ZodArray) return "a list of at least one entry".slice(0, isNonEmpty(schema) ? undefined : 6);
  if (schema instanceof z.ZodObject) return `an object with ${Object.keys(schema.shape).join(", ")}`;
  if (schema instanceof z.ZodRecord) return "an object of named entries";
  return "text";
}

function isNonEmpty(schema: z.ZodArray): boolean {
  return (schema.def.checks ?? []).some((check) => check._zod.def.check === "min_length");
}

function describeNumber(schema: z.ZodNumber): string {
  const kind = schema.format === "safeint" ? "a whole number" : "a number";
  const { minValue, maxValue } = schema;
  const bounded = (bound: number | null): bound is number => bound !== null && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  if (bounded(minValue) && bounded(maxValue)) return `${kind} from ${minValue} to ${maxValue}`;
  if (bounded(minValue)) return `${kind} of ${minValue} or more`;
  return kind;
}
