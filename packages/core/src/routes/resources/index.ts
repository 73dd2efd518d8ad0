import type { AnyEntity, AnyLogEntity } from "../../entities/index.js";
import type { Route } from "../route.js";
import type { DocumentOptions } from "../openapi/index.js";
import { deriveResource, type Resource, type ResourceRoute, type ResourceVerb } from "./resource.js";
import { viewSchema } from "./view.js";

export { acceptsNothing, acceptsNull, createSchema } from "./create-schema.js";
export { fieldsOf, isWritable, type NamedField } from "./field-names.js";
export { filterFields, sortFields } from "./list-query.js";
export { ownInputs, type OwnInput } from "./own-inputs.js";
export { mergePatch } from "./merge-patch.js";
export { createdFields, patchedFields, replacedFields } from "./row-input.js";
export { replaceSchema } from "./replace-schema.js";
export { deriveResource, type Resource, type ResourceRoute, type ResourceVerb } from "./resource.js";
export { snakeCase, type OnWire, type Snake } from "./snake-case.js";
export { unknownTypeRoutes } from "./unknown-types.js";
export { updateSchema } from "./update-schema.js";
export { originOf, toView, viewSchema, type Row, type View } from "./view.js";
export { wireCodec } from "./wire-codec.js";

/** The resources of all entities that opted in; a route that was written by hand stands in the place of the derived one of its method and path. */
export function deriveResources(entities: readonly (AnyEntity | AnyLogEntity)[], byHand: readonly Route[]): readonly Resource[] {
  const taken = new Set(byHand.map(placeOf));
  const names = new Set(byHand.map(({ name }) => name));
  return entities.flatMap((entity) => {
    const resource = entity.kind === "log" ? null : deriveResource(entity as AnyEntity);
    if (resource === null) return [];
    const routes = resource.routes.filter(({ route }) => !taken.has(placeOf(route)));
    return [{ ...resource, routes: routes.map((one) => (names.has(one.route.name) ? renamed(one) : one)) }];
  });
}

/** A vendor's dialect has the name already (`models.list`): ours are the stored ones. */
function renamed({ verb, route }: ResourceRoute): ResourceRoute {
  return { verb, route: { ...route, name: `stored-${route.name}` } };
}

/** The schemas that a document names: of each resource what it is, and what creates, changes and replaces it. */
export function namedSchemas(resources: readonly Resource[]): DocumentOptions["named"] {
  return resources.flatMap(({ entity, traits, routes }) => {
    const name = traits.type.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
    const bodyOf = (verb: ResourceVerb) => routes.find((one) => one.verb === verb)?.route.body;
    const inputs = [
      [bodyOf("create"), `${name}Create`],
      [bodyOf("update"), `${name}Update`],
      [bodyOf("replace"), `${name}Replace`],
    ] as const;
    const named = inputs.flatMap(([schema, as]) => (schema === undefined ? [] : [{ schema, name: as, io: "input" as const }]));
    return [{ schema: viewSchema(entity), name, io: "output" as const }, ...named];
  });
}

/** What names of parameters there are does not matter to who calls. */
function placeOf({ method, path }: Route): string {
  return `${method} ${path.replace(/\{\w+\}/g, "{}")}`;
}
