import { z } from "zod";
import { defineEntity, field, json, text, type RowType } from "../define-entity.js";
import { nameSchema } from "../route.js";

const glob = (most: number) => z.string().min(1).max(most).regex(/^[^!]/, "a glob without !: what is denied stands in deny");
const subjects = z.array(glob(100)).max(200).default([]);
const filterOf = (most: number) =>
  z.strictObject({
    allow: z.array(glob(most)).max(1_000).optional().describe("globs of what is let pass; left out: all, empty: nothing"),
    deny: z.array(glob(most)).max(1_000).optional().describe("globs of what is not, whatever allow says"),
  });

/** The parts of a persona beside its name, for configuration and store alike. */
export const personaShape = {
  description: z.string().max(2_000).nullable().default(null),
  roles: subjects.describe(
    "globs of the roles whose holders it binds, with the keys that they made: built-in ones, and the ids of custom ones",
  ),
  keys: subjects.describe("globs of the ids of keys that it binds, with those that were made from them"),
  users: subjects.describe(
    "globs of the ids of users that it binds, with the keys that they made; also of callers that a host application names",
  ),
  projects: subjects.describe("globs of the projects in which it binds whoever acts there"),
  agents: subjects.describe("globs of the ids of agents that it binds"),
  servers: filterOf(40).default({}).describe("globs over the names of MCP servers"),
  tools: filterOf(560).default({}).describe("globs over server__tool, and over server__ with the URI of a resource"),
};
export const personaSchema = z.strictObject(personaShape);
/** A persona with its defaults filled in. */
export type PersonaRules = z.output<typeof personaSchema>;

/** Bounds what callers may use of MCP servers, whatever keys and roles grant them; it gives nothing. A persona of the configuration with the same name counts instead. */
export const persona = defineEntity({
  name: "persona",
  table: "personas",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "persona",
    plural: "personas",
    permission: "roles",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    name: field(nameSchema, { access: "create-only", column: text(40), filter: true, sort: true }),
    description: field(personaShape.description, { access: "open", column: text(2_000) }),
    roles: field(personaShape.roles, { access: "open", column: json }),
    keys: field(personaShape.keys, { access: "open", column: json }),
    users: field(personaShape.users, { access: "open", column: json }),
    projects: field(personaShape.projects, { access: "open", column: json }),
    agents: field(personaShape.agents, { access: "open", column: json }),
    servers: field(personaShape.servers, { access: "open", column: json }),
    tools: field(personaShape.tools, { access: "open", column: json }),
    createdBy: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
  },
  unique: [["name"]],
});
export type PersonaRow = RowType<typeof persona>;
