import { z } from "zod";
import { GatewayError } from "../../errors/index.js";
import { nearest } from "../../util/nearest.js";
import { formatPath, type ConfigPath } from "../config-path.js";
import { describeIssues, describeSchemas } from "../problems/describe-issues.js";
import type { Problem } from "../problems/problems.js";
import { fixedPaths, schemasAt } from "../schema-keys.js";
import { configSchema } from "../schema.js";
import type { Setting } from "./setting.js";
import { settingRows, startReasons, type SettingRow } from "./setting-rows.js";

/** A setting by its key. */
export interface SettingKey {
  readonly key: string;
  readonly path: ConfigPath;
  readonly type: Setting["type"];
  /** What it takes, in words: `a whole number from 60`. */
  readonly expected: string;
  readonly unit: string | null;
  readonly description: string;
  /** Why it cannot be changed while the gateway runs; null: it can. */
  readonly fixed: string | null;
  /** What a stored value is multiplied by. */
  readonly times: number;
  readonly schema: z.ZodType;
}

/** What can be changed while the gateway runs. Of several at one path those before count more. */
export const settingKeys: readonly SettingKey[] = settingRows.map(ofRow);
/** What of the configuration is read at the start: each value that stands under no name of the user's. */
export const startKeys: readonly SettingKey[] = fixedPaths(configSchema).flatMap(ofPath);

const byKey: ReadonlyMap<string, SettingKey> = new Map([...settingKeys, ...startKeys].map((setting) => [setting.key, setting]));

/** undefined: there is no such setting. Also by the id of its row. */
export function settingOf(key: string): SettingKey | undefined {
  return byKey.get(key.replaceAll("-", "."));
}

/** Errors: `not_found` with the nearest key; `forbidden` with the reason for one that is read at the start. */
export function changeableSetting(key: string): SettingKey {
  const setting = knownSetting(key);
  if (setting.fixed === null) return setting;
  throw new GatewayError("forbidden", `${setting.key} cannot be changed while the gateway runs: ${setting.fixed}.`, {
    hint: `Set ${formatPath(setting.path)} in the file, the environment or code, and start again.`,
    details: { key: setting.key },
  });
}

/** Errors: `not_found` with the nearest key. */
export function knownSetting(key: string): SettingKey {
  const setting = settingOf(key);
  if (setting !== undefined) return setting;
  const meant = nearest(key, [...byKey.keys()]);
  throw new GatewayError("not_found", `There is no setting "${key.slice(0, 80)}".`, {
    hint: meant === null ? "GET /api/v1/config and `sallyport config list` show every one." : `Did you mean ${meant}?`,
  });
}

/** A stored key that this version does not know: another one wrote it, or somebody by hand. */
export function unknownSetting(key: string): SettingKey {
  const fixed = "this version has no such setting";
  return { ...{ key, path: [key], type: "text", expected: "", unit: null, description: "" }, fixed, times: 1, schema: z.never() };
}

/** The id of the row that a setting is stored in. */
export function idOfSetting(key: string): string {
  return key.replaceAll(".", "-");
}

/** What is wrong with a value, by itself; null: nothing. A text is never repeated. */
export function problemOf(setting: SettingKey, value: unknown): Problem | null {
  const result = setting.schema.safeParse(value);
  if (result.success) return null;
  const nested = setting.path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
  const issues = result.error.issues.map((issue) => ({ ...issue, path: [...setting.path, ...issue.path] as PropertyKey[] }));
  const root =
    setting.times === 1 ? configSchema : setting.path.reduceRight<z.ZodType>((inner, part) => z.object({ [part]: inner }), setting.schema);
  return describeIssues(issues, { root, input: nested, showable: () => true })[0] ?? null;
}

function ofRow(row: SettingRow): SettingKey {
  const times = row.as?.times ?? 1;
  const { schema, description } = declared(row.path);
  const scaled = z
    .int()
    .min(1)
    .max(Math.floor(Number.MAX_SAFE_INTEGER / times / 1_000));
  const own = times === 1 ? schema : scaled;
  return {
    ...{ key: row.as?.key ?? keyOf(row.path), path: row.path, type: typeOf(own), expected: describeSchemas([own]), unit: row.unit ?? null },
    ...{ description: row.description ?? description, fixed: null, times, schema: own },
  };
}

function ofPath(path: ConfigPath): SettingKey[] {
  const { schema, description } = declared(path);
  const key = keyOf(path);
  if (schema instanceof z.ZodObject || settingKeys.some((setting) => setting.key === key)) return [];
  return [{ ...{ key, path, type: typeOf(schema), expected: "", unit: null }, description, fixed: reasonOf(path), times: 1, schema }];
}

function keyOf(path: ConfigPath): string {
  return path.map((part) => String(part).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)).join(".");
}

function reasonOf(path: ConfigPath): string {
  for (let length = path.length; length > 0; length--) {
    const reason = startReasons[formatPath(path.slice(0, length))];
    if (reason !== undefined) return reason;
  }
  return startReasons[""]!;
}

/** The schema at the path without default, and what it is described as. */
function declared(path: ConfigPath): { readonly schema: z.ZodType; readonly description: string } {
  const schema = schemasAt(configSchema, path)[0];
  const above = schemasAt(configSchema, path.slice(0, -1))[0];
  const whole = above instanceof z.ZodObject ? (above.shape[path[path.length - 1] as string] as z.ZodType | undefined) : undefined;
  if (schema === undefined || whole === undefined) throw new GatewayError("internal", `${formatPath(path)} is not of the configuration.`);
  return { schema: schema as z.ZodType, description: whole.description ?? (schema as z.ZodType).description ?? "" };
}

function typeOf(schema: z.core.$ZodType): Setting["type"] {
  if (schema instanceof z.ZodNumber) return schema.format === "safeint" ? "integer" : "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodArray) return "list";
  return schema instanceof z.ZodObject || schema instanceof z.ZodRecord ? "object" : "text";
}
