import { z } from "zod";
import { restRoute } from "../route.js";

/** What describes this API. Open: it tells what there is and shows no data; `server.docs` takes it away. */
export const docRoutes = {
  openapi: restRoute({
    name: "docs.openapi",
    method: "GET",
    path: "/openapi.json",
    summary: "This API as an OpenAPI 3.1 document. Open, unless server.docs is off.",
    open: true,
    permission: null,
    output: { status: 200, kind: "json", schema: z.record(z.string(), z.unknown()) },
    errors: ["not_found"],
  }),
  page: restRoute({
    name: "docs.page",
    method: "GET",
    path: "/docs",
    summary: "The same for people: every route with its schemas and an example. Open, unless server.docs is off.",
    open: true,
    permission: null,
    output: { status: 200, kind: "text", contentType: "text/html; charset=utf-8", schema: z.string() },
    errors: ["not_found"],
  }),
} as const;
