import type { ToolOverride } from "../../entities/index.js";
import { KeyTable } from "../../util/json-scanner.js";
import { scanJson, scanPlan, stringAt, textAt, type JsonNode, type ScanPlan } from "../frames/json-scan.js";
import { member } from "../frames/message.js";
import { objectText } from "../frames/object-text.js";
import { utf8 } from "../frames/splice.js";
import type { ListEntry } from "../upstream/list-entries.js";
import type { ArgumentFill } from "./argument-fill.js";

const namePlan = scanPlan({ name: {} });
const schemaParts = scanPlan({ description: {}, default: {} });

/** A tool's definition as callers see it: every byte that the override does not speak of stays as the server sent it, and so does the name, which each view puts in. */
export function shapeTool(
  entry: ListEntry,
  o: { readonly override: ToolOverride | undefined; readonly fill: ArgumentFill | null },
): ListEntry {
  const { override, fill } = o;
  if (override === undefined || !changesWords(override)) return entry;
  const { raw } = entry;
  const plan = definitionPlan(Object.keys(override.arguments ?? {}));
  const root = scanJson(raw, plan);
  const replace = new Map<string, string>();
  const add: (readonly [string, string])[] = [];
  for (const key of ["title", "description"] as const) {
    const text = override[key];
    if (text === undefined) continue;
    if (member(root, key) === null) add.push([key, JSON.stringify(text)]);
    else replace.set(key, JSON.stringify(text));
  }
  const schema = member(root, "inputSchema");
  if (schema !== null && override.arguments !== undefined) replace.set("inputSchema", schemaText(raw, schema, { override, fill }));
  const shaped = utf8(objectText(raw, root, { replace, add }));
  const name = member(scanJson(shaped, namePlan), "name")!;
  return { ...entry, raw: shaped, at: { start: name.start, end: name.end } };
}

function changesWords({ title, description, arguments: args }: ToolOverride): boolean {
  return title !== undefined || description !== undefined || Object.keys(args ?? {}).length > 0;
}

function definitionPlan(args: readonly string[]): ScanPlan {
  const properties: ScanPlan = { table: new KeyTable(args), inner: args.map(() => schemaParts), elements: null };
  const required = scanPlan({ "*": {} });
  const schema: ScanPlan = { table: new KeyTable(["properties", "required"]), inner: [properties, required], elements: null };
  const leaf = scanPlan({});
  return { table: new KeyTable(["name", "title", "description", "inputSchema"]), inner: [leaf, leaf, leaf, schema], elements: null };
}

interface Words {
  readonly override: ToolOverride;
  readonly fill: ArgumentFill | null;
}

function schemaText(raw: Uint8Array, schema: JsonNode, words: Words): string {
  const replace = new Map<string, string>();
  const properties = member(schema, "properties");
  if (properties !== null && properties.kids !== null) replace.set("properties", propertiesText(raw, properties, words));
  const required = member(schema, "required");
  if (required !== null && required.kids !== null) {
    const left = required.kids.filter((kid) => raw[kid.start] !== 0x22 || !isPutIn(stringAt(raw, kid.start, kid.end), words));
    replace.set("required", `[${left.map((kid) => textAt(raw, kid)).join(",")}]`);
  }
  return objectText(raw, schema, { replace });
}

function isPutIn(name: string, { fill }: Words): boolean {
  return fill !== null && (fill.hides(name) || fill.defaultOf(name) !== undefined);
}

function propertiesText(raw: Uint8Array, properties: JsonNode, words: Words): string {
  const replace = new Map<string, string>();
  for (const kid of properties.kids ?? []) {
    // A schema may also be true or false: there is nowhere to say it.
    if (kid.key === "" || raw[kid.start] !== 0x7b) continue;
    const description = words.override.arguments?.[kid.key]?.description;
    const said: (readonly [string, string])[] = [];
    if (description !== undefined) said.push(["description", JSON.stringify(description)]);
    const usual = words.fill?.defaultOf(kid.key);
    if (usual !== undefined) said.push(["default", usual]);
    const keys = new Set(said.map(([key]) => key));
    if (said.length > 0) replace.set(kid.key, objectText(raw, kid, { drop: (key) => keys.has(key), add: said }));
  }
  return objectText(raw, properties, { drop: (key) => words.fill?.hides(key) === true, replace });
}
