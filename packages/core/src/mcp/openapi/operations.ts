import type { Json, JsonObject } from "../../calls/index.js";
import { matchesGlob } from "../../util/glob.js";
import type { OpenApiTarget } from "../server-target.js";
import { References } from "./references.js";
import { copySchema, schemaBudget, SchemaTooLarge, type SchemaBudget } from "./copy-schema.js";

/** One value of a tool's arguments and where of the request it goes. */
export interface Slot {
  /** The argument. */
  readonly argument: string;
  /** As the API calls it. */
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly style: "simple" | "form" | "spaceDelimited" | "pipeDelimited" | "deepObject";
  readonly explode: boolean;
}
export interface BodySlot {
  readonly contentType: string;
  readonly kind: "json" | "form" | "text";
  readonly required: boolean;
}
/** One operation as a tool. */
export interface Operation {
  readonly method: string;
  /** With its `{parameters}`. */
  readonly path: string;
  readonly slots: readonly Slot[];
  readonly body: BodySlot | null;
  readonly definition: JsonObject;
}
export interface Operations {
  readonly byName: ReadonlyMap<string, Operation>;
  /** What was left out, and why. */
  readonly rejected: readonly string[];
}

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options"] as const;
const MAX_OPERATIONS = 2_000;
const MAX_NAME = 64;
/** By the specification they are no parameters; the others are the connection's own, or say who calls. */
const ownHeaders: ReadonlySet<string> = new Set([
  ...["accept", "content-type", "authorization", "proxy-authorization", "cookie", "host", "content-length", "connection"],
  ...["transfer-encoding", "upgrade", "te", "trailer", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
]);
const ownBody = "body";

/** Every operation that is wanted, in the document's order, under a name that stays as long as its operation id, or its method and path, do. */
export function operationsOf(document: JsonObject, wanted: Pick<OpenApiTarget, "include" | "exclude">): Operations {
  const byName = new Map<string, Operation>();
  const rejected: string[] = [];
  const references = new References(document);
  for (const [path, item] of Object.entries(objectOf(document["paths"]))) {
    const shared = references.object(item) ?? {};
    for (const method of METHODS) {
      if (typeof shared[method] !== "object" || shared[method] === null) continue;
      const operation = objectOf(shared[method]);
      if (!isWanted({ method, path, operation }, wanted)) continue;
      const name = nameOf({ method, path, operation });
      if (byName.has(name)) rejected.push(`${name}: there is an operation of this name already`);
      else if (byName.size >= MAX_OPERATIONS) return { byName, rejected: [...rejected, `everything past ${MAX_OPERATIONS} operations`] };
      else take(byName, rejected, { name, method, path, operation, shared, references });
    }
  }
  return { byName, rejected };
}

interface Found {
  readonly method: string;
  readonly path: string;
  readonly operation: JsonObject;
}
/** What of the document an operation is made of. */
interface Around extends Found {
  /** Its path's item. */
  readonly shared: JsonObject;
  readonly references: References;
}

function take(byName: Map<string, Operation>, rejected: string[], found: Around & { readonly name: string }): void {
  try {
    const made = operationOf(found);
    if (typeof made === "string") rejected.push(`${found.name}: ${made}`);
    else byName.set(found.name, made);
  } catch (error) {
    if (!(error instanceof SchemaTooLarge)) throw error;
    rejected.push(`${found.name}: its schema is too large`);
  }
}

/** By operation id, tag, or method and path; what is excluded stays so. */
function isWanted({ method, path, operation }: Found, { include, exclude }: Pick<OpenApiTarget, "include" | "exclude">): boolean {
  const tags = Array.isArray(operation["tags"]) ? operation["tags"].filter((tag) => typeof tag === "string") : [];
  const names = [nameOf({ method, path, operation }), `${method.toUpperCase()} ${path}`, ...tags];
  if (typeof operation["operationId"] === "string") names.push(operation["operationId"]);
  const matches = (globs: readonly string[]): boolean => globs.some((glob) => names.some((name) => matchesGlob(glob, name)));
  return (include === undefined || matches(include)) && !(exclude !== undefined && matches(exclude));
}

/** Characters that every client takes, and at most as many as leave room for the server's name. */
function nameOf({ method, path, operation }: Found): string {
  const { operationId } = operation as { operationId?: unknown };
  const given = typeof operationId === "string" && operationId !== "" ? operationId : `${method}_${path}`;
  const name = given
    .replace(/[^A-Za-z0-9_.-]+/g, "_")
    .replace(/_{2,}/g, "_")
    .replace(/^_|_$/g, "");
  return (name === "" ? method : name).slice(0, MAX_NAME);
}

function operationOf({ method, path, operation, shared, references }: Around): Operation | string {
  const budget = schemaBudget(references);
  const properties: [string, JsonObject][] = [];
  const required: string[] = [];
  const slots: Slot[] = [];
  for (const parameter of parametersOf(references, [shared, operation])) {
    const slot = slotOf(parameter, properties);
    if (slot === null) continue;
    if (typeof slot === "string") return slot;
    slots.push(slot);
    properties.push([slot.argument, parameterSchema(parameter, budget)]);
    if (slot.required) required.push(slot.argument);
  }
  const missing = [...path.matchAll(/\{([^{}]+)\}/g)].find(([, name]) => !slots.some((slot) => slot.in === "path" && slot.name === name));
  if (missing !== undefined) return `its path has the parameter ${String(missing[1])}, which it does not declare`;
  const body = bodyOf(operation["requestBody"] === undefined ? undefined : (references.object(operation["requestBody"]) ?? {}));
  if (typeof body === "string") return body;
  if (body !== null) {
    const { schema, ...slot } = body;
    properties.push([ownBody, copySchema(schema, budget)]);
    if (slot.required) required.push(ownBody);
  }
  const inputSchema: JsonObject = {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
  const definition = {
    name: nameOf({ method, path, operation }),
    ...words(method, path, operation),
    inputSchema,
    annotations: hints(method),
  };
  return { method: method.toUpperCase(), path, slots, body: body === null ? null : withoutSchema(body), definition };
}

function withoutSchema({ contentType, kind, required }: BodySlot): BodySlot {
  return { contentType, kind, required };
}

/** Of the path and of the operation, whose own count more. */
function parametersOf(references: References, from: readonly JsonObject[]): readonly JsonObject[] {
  const found = new Map<string, JsonObject>();
  for (const { parameters } of from as readonly { readonly parameters?: unknown }[])
    for (const one of Array.isArray(parameters) ? (parameters as readonly unknown[]) : []) {
      const parameter = references.object(one) ?? {};
      found.set(`${String(parameter["in"])} ${String(parameter["name"])}`, parameter);
    }
  return [...found.values()];
}

/** null: nothing that a caller gives; text: why the operation can't be a tool. */
function slotOf(parameter: JsonObject, taken: readonly (readonly [string, unknown])[]): Slot | string | null {
  const { name, in: place } = parameter as { name?: unknown; in?: unknown };
  const required = parameter["required"] === true || place === "path";
  if (typeof name !== "string" || name === "") return "a parameter without a name, or one that is a reference out of the document";
  if (place === "cookie") return required ? "it needs a cookie" : null;
  if (place !== "path" && place !== "query" && place !== "header") return `a parameter in "${String(place).slice(0, 20)}"`;
  if (place === "header" && (ownHeaders.has(name.toLowerCase()) || !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name))) return null;
  const isTaken = (candidate: string): boolean => candidate === ownBody || taken.some(([other]) => other === candidate);
  const argument = isTaken(name) ? `${place}_${name}` : name;
  if (isTaken(argument)) return `two parameters called ${name}`;
  const style = parameter["style"] ?? (place === "query" ? "form" : "simple");
  if (!["simple", "form", "spaceDelimited", "pipeDelimited", "deepObject"].includes(style as string)) return `the style ${String(style)}`;
  const explode = typeof parameter["explode"] === "boolean" ? parameter["explode"] : style === "form";
  return { argument, name, in: place, required, style: style as Slot["style"], explode };
}

function parameterSchema(parameter: JsonObject, budget: SchemaBudget): JsonObject {
  const content = Object.values(objectOf(parameter["content"]))[0];
  const schema = copySchema(parameter["schema"] ?? objectOf(content)["schema"], budget);
  const { description } = parameter;
  return typeof description === "string" && schema["description"] === undefined
    ? { ...schema, description: description.slice(0, 2_000) }
    : schema;
}

function bodyOf(requestBody: Json | undefined): (BodySlot & { readonly schema: Json | undefined }) | string | null {
  if (requestBody === undefined) return null;
  const body = objectOf(requestBody);
  const required = body["required"] === true;
  for (const [contentType, media] of Object.entries(objectOf(body["content"]))) {
    const type = contentType.split(";")[0]!.trim().toLowerCase();
    const kind = /^application\/(?:[\w.+-]+\+)?json$/.test(type)
      ? "json"
      : type === "application/x-www-form-urlencoded"
        ? "form"
        : type.startsWith("text/")
          ? "text"
          : null;
    if (kind === null || !/^[\w.+-]+\/[\w.+-]+$/.test(type)) continue;
    return { contentType: type, kind, required, schema: kind === "text" ? { type: "string" } : objectOf(media)["schema"] };
  }
  return required ? "its body is neither JSON, nor a form, nor text" : null;
}

function words(method: string, path: string, operation: JsonObject): JsonObject {
  const { summary, description } = operation;
  const title = typeof summary === "string" && summary !== "" ? { title: summary.slice(0, 200) } : {};
  const said = [summary, description].filter((text): text is string => typeof text === "string" && text !== "");
  const text = said.length === 0 ? `${method.toUpperCase()} ${path}` : [...new Set(said)].join("\n\n");
  return { ...title, description: text.slice(0, 4_000) };
}

/** What the method means by RFC 9110; a hint, like any server's. */
function hints(method: string): JsonObject {
  const readOnlyHint = method === "get" || method === "head" || method === "options";
  const idempotentHint = readOnlyHint || method === "put" || method === "delete";
  return { readOnlyHint, destructiveHint: !readOnlyHint && method !== "post", idempotentHint, openWorldHint: true };
}

function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
