import { z } from "zod";
import { defineEntity, bool, field, json, longText, text, type RowType } from "../define-entity.js";
import { nameSchema } from "../route.js";
import { toolFilterSchema } from "./tool-shape.js";

const outerName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 of letters, digits, _ and -");

/** The parts of a namespace beside its name, for configuration and store alike. */
export const namespaceShape = {
  servers: z.array(z.string().min(1).max(40)).min(1).max(200).describe("the servers that it shows; for conflicts, the first counts most"),
  naming: z
    .enum(["prefix", "none", "manual"])
    .default("prefix")
    .describe("server__tool; the tools' own names; or only the tools of names, as they are named there"),
  conflicts: z
    .enum(["prefix", "priority", "error"])
    .default("prefix")
    .describe(
      "for the naming none, when several servers have a name: those are shown as server__tool, only the first server's is shown, or the namespace refuses to serve",
    ),
  names: z
    .record(outerName, z.string().min(4).max(560))
    .default({})
    .describe("for the naming manual: what each tool is called here, and its full name server__tool"),
  tools: toolFilterSchema.default({}).describe("globs of full names server__tool"),
  instructions: z.string().max(16_000).nullable().default(null).describe("told to clients in the place of the servers' own"),
  restricted: z.boolean().default(false).describe("only callers with the grant namespaces:<name> are served"),
};
export const namespaceSchema = z.strictObject(namespaceShape);
/** A namespace with its defaults filled in. */
export type NamespaceRules = z.output<typeof namespaceSchema>;

/** A virtual server that was stored: `/ns/<name>/mcp`. A namespace of the configuration with the same name counts instead. */
export const namespace = defineEntity({
  name: "namespace",
  table: "namespaces",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "namespace",
    plural: "namespaces",
    permission: "servers",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    name: field(nameSchema, { access: "create-only", column: text(40), filter: true, sort: true }),
    servers: field(namespaceShape.servers, { access: "open", column: json }),
    naming: field(namespaceShape.naming, { access: "open", column: text(16) }),
    conflicts: field(namespaceShape.conflicts, { access: "open", column: text(16) }),
    names: field(namespaceShape.names, { access: "open", column: json }),
    tools: field(namespaceShape.tools, { access: "open", column: json }),
    instructions: field(namespaceShape.instructions, { access: "open", column: longText }),
    restricted: field(namespaceShape.restricted, { access: "open", column: bool }),
  },
  unique: [["name"]],
});
export type NamespaceRow = RowType<typeof namespace>;
