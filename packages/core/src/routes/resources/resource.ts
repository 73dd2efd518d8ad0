import { z } from "zod";
import type { AnyEntity, RestTraits } from "../../entities/index.js";
import { restRoute, type RestRoute } from "../route.js";
import { createSchema } from "./create-schema.js";
import { creationHeaders } from "../creation-headers.js";
import { listQuery } from "./list-query.js";
import { ownInputs } from "./own-inputs.js";
import { replaceSchema } from "./replace-schema.js";
import { changeHeaders, ifVersion, updateSchema } from "./update-schema.js";
import { viewSchema } from "./view.js";

/** What a derived route does; two routes of one verb differ in their path only. */
export type ResourceVerb = "list" | "get" | "create" | "update" | "replace" | "remove" | "bulk";

export interface ResourceRoute {
  readonly verb: ResourceVerb;
  readonly route: RestRoute;
}
/** One entity in the resource API. */
export interface Resource {
  readonly entity: AnyEntity;
  readonly traits: RestTraits;
  /** The last part of `/api/v1/{path}`. */
  readonly path: string;
  readonly routes: readonly ResourceRoute[];
}

const params = z.strictObject({ id: z.string().min(1).max(64) });
const onlyIf = z.strictObject({ if_version: ifVersion });
const MOST_ITEMS = 100;

/** An entity's routes, those of its verbs; null: it is not in the resource API. */
export function deriveResource(entity: AnyEntity): Resource | null {
  const traits = entity.rest;
  if (traits === null) return null;
  const path = traits.path ?? traits.plural;
  const has = (verb: RestTraits["verbs"][number]): boolean => traits.verbs.includes(verb);
  const d: Derivation = { entity, traits, view: viewSchema(entity), base: `/api/v1/${path}`, path };
  return {
    entity,
    traits,
    path,
    routes: [
      ...(has("list") ? listRoutes(d) : []),
      ...(has("get") ? getRoutes(d) : []),
      ...(has("create") ? createRoutes(d) : []),
      ...(has("update") ? updateRoutes(d) : []),
      ...(has("delete") ? removeRoutes(d) : []),
      ...(has("update") || has("delete") ? bulkRoutes(d) : []),
    ],
  };
}

interface Derivation {
  readonly entity: AnyEntity;
  readonly traits: RestTraits;
  readonly view: z.ZodObject;
  readonly base: string;
  readonly path: string;
}

const read = ({ traits }: Derivation) => ({ what: traits.permission, name: "read" });
const write = ({ traits }: Derivation) => ({ what: traits.permission, name: "write" });
const words = (type: string): string => type.replaceAll("-", " ");

function listRoutes(d: Derivation): ResourceRoute[] {
  const common = {
    method: "GET",
    summary: `Lists ${words(d.traits.plural)}, page by page or as one file.`,
    permission: read(d),
    query: listQuery(d.entity),
    output: { status: 200, kind: "json", schema: z.object({ data: z.array(d.view), next_cursor: z.string().nullable() }) },
    errors: ["forbidden"],
  } as const;
  return [
    { verb: "list", route: restRoute({ name: `${d.path}.list`, path: d.base, ...common }) },
    { verb: "list", route: restRoute({ name: `list.${d.traits.plural}`, path: `/api/v1/list/${d.traits.plural}`, ...common }) },
  ];
}

function getRoutes(d: Derivation): ResourceRoute[] {
  const route = restRoute({
    name: `${d.path}.get`,
    method: "GET",
    path: `${d.base}/{id}`,
    summary: `One ${words(d.traits.type)}. Its ETag is its version.`,
    permission: read(d),
    params,
    output: { status: 200, kind: "json", schema: d.view },
    errors: ["forbidden", "not_found"],
  });
  return [{ verb: "get", route }];
}

function createRoutes(d: Derivation): ResourceRoute[] {
  const own = ownInputs[d.entity.name];
  const common = {
    method: "POST",
    summary: `Creates a ${words(d.traits.type)}.`,
    permission: write(d),
    headers: creationHeaders,
    body: own?.create ?? createSchema(d.entity),
    output: { status: 201, kind: "json", schema: own?.shownOnce === undefined ? d.view : d.view.extend(own.shownOnce) },
    errors: ["forbidden", "conflict", "idempotency_key_reuse"],
  } as const;
  return [
    { verb: "create", route: restRoute({ name: `${d.path}.create`, path: d.base, ...common }) },
    { verb: "create", route: restRoute({ name: `add.${d.traits.type}`, path: `/api/v1/add/${d.traits.type}`, ...common }) },
  ];
}

function updateRoutes(d: Derivation): ResourceRoute[] {
  const common = {
    permission: write(d),
    params,
    query: onlyIf,
    headers: changeHeaders,
    output: { status: 200, kind: "json", schema: d.view },
    errors: ["forbidden", "not_found", "conflict", "precondition_failed"],
  } as const;
  const patch = {
    method: "PATCH",
    summary: `Changes what the body names of a ${words(d.traits.type)} (merge-patch, RFC 7396); the rest stays.`,
    body: updateSchema(d.entity),
    ...common,
  } as const;
  const put = {
    method: "PUT",
    summary: `Replaces a ${words(d.traits.type)}: what the body leaves out has its default again, but for secrets.`,
    body: replaceSchema(d.entity),
    ...common,
  } as const;
  const generic = `/api/v1/update/${d.traits.type}/{id}`;
  return [
    { verb: "update", route: restRoute({ name: `${d.path}.update`, path: `${d.base}/{id}`, ...patch }) },
    { verb: "replace", route: restRoute({ name: `${d.path}.replace`, path: `${d.base}/{id}`, ...put }) },
    { verb: "update", route: restRoute({ name: `update.${d.traits.type}`, path: generic, ...patch }) },
    { verb: "replace", route: restRoute({ name: `replace.${d.traits.type}`, path: generic, ...put }) },
  ];
}

function removeRoutes(d: Derivation): ResourceRoute[] {
  const common = {
    method: "DELETE",
    summary: `Deletes a ${words(d.traits.type)}.`,
    permission: write(d),
    params,
    query: onlyIf,
    headers: changeHeaders,
    output: { status: 200, kind: "json", schema: z.object({ id: z.string(), deleted: z.literal(true) }) },
    errors: ["forbidden", "not_found", "conflict", "precondition_failed"],
  } as const;
  return [
    { verb: "remove", route: restRoute({ name: `${d.path}.delete`, path: `${d.base}/{id}`, ...common }) },
    { verb: "remove", route: restRoute({ name: `del.${d.traits.type}`, path: `/api/v1/del/${d.traits.type}/{id}`, ...common }) },
  ];
}

function bulkRoutes(d: Derivation): ResourceRoute[] {
  const id = params.shape.id;
  const change = z.strictObject({
    op: z.literal("update"),
    id,
    if_version: ifVersion,
    patch: updateSchema(d.entity).omit({ if_version: true }),
  });
  const removal = z.strictObject({ op: z.literal("delete"), id, if_version: ifVersion });
  const { verbs } = d.traits;
  const item = !verbs.includes("delete") ? change : !verbs.includes("update") ? removal : z.discriminatedUnion("op", [change, removal]);
  const failure = z.object({ code: z.string(), message: z.string(), hint: z.string().optional(), details: z.unknown().optional() });
  const done = z.object({
    id: z.string(),
    op: z.enum(["update", "delete"]),
    status: z.int(),
    row: d.view.nullable(),
    error: failure.nullable(),
  });
  const route = restRoute({
    name: `${d.path}.bulk`,
    method: "POST",
    path: `${d.base}/bulk`,
    summary: `Changes and deletes up to ${MOST_ITEMS} ${words(d.traits.plural)}, each for itself: one that fails leaves the others.`,
    permission: write(d),
    body: z.array(item).min(1).max(MOST_ITEMS),
    output: { status: 200, kind: "json", schema: z.object({ data: z.array(done) }) },
    errors: ["forbidden"],
  });
  return [{ verb: "bulk", route }];
}
