import { z } from "zod";
import { restRoute, type RestRoute } from "../route.js";

const type = z.string().max(200);
const nothing = { status: 404, kind: "json", schema: z.never() } as const;
const common = { permission: null, output: nothing, errors: ["unknown_resource_type"], last: true } as const;
const one = z.strictObject({ type, id: z.string() });

/** The generic paths for a type that there is not: any caller may hear that. Matched after all others. */
export const unknownTypeRoutes: Readonly<Record<"list" | "add" | "update" | "replace" | "del", RestRoute>> = {
  list: restRoute({
    name: "list.unknown",
    method: "GET",
    path: "/api/v1/list/{type}",
    summary: "Says that there is no such type to list.",
    params: z.strictObject({ type }),
    ...common,
  }),
  add: restRoute({
    name: "add.unknown",
    method: "POST",
    path: "/api/v1/add/{type}",
    summary: "Says that there is no such type to add.",
    params: z.strictObject({ type }),
    ...common,
  }),
  update: restRoute({
    name: "update.unknown",
    method: "PATCH",
    path: "/api/v1/update/{type}/{id}",
    summary: "Says that there is no such type to update.",
    params: one,
    ...common,
  }),
  replace: restRoute({
    name: "replace.unknown",
    method: "PUT",
    path: "/api/v1/update/{type}/{id}",
    summary: "Says that there is no such type to update.",
    params: one,
    ...common,
  }),
  del: restRoute({
    name: "del.unknown",
    method: "DELETE",
    path: "/api/v1/del/{type}/{id}",
    summary: "Says that there is no such type to delete.",
    params: one,
    ...common,
  }),
};
