import { z } from "zod";
import { bool, defineEntity, field, json, longText, text, type RowType } from "../define-entity.js";
import { nameSchema } from "../route.js";
import { toolOverrideShape } from "./tool-shape.js";

/** What a stored record says of one tool of a server: as `tools.overrides` of the configuration, which counts instead where it speaks of the same tool. */
export const mcpTool = defineEntity({
  name: "mcpTool",
  table: "mcp_tools",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "mcp-tool",
    plural: "mcp-tools",
    permission: "servers",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    server: field(nameSchema, { access: "create-only", column: text(40), filter: true, sort: true }),
    /** As the server calls it. */
    tool: field(z.string().min(1).max(512), { access: "create-only", column: text(512) }),
    name: field(toolOverrideShape.name.unwrap().nullable(), { access: "open", column: text(128) }),
    title: field(toolOverrideShape.title.unwrap().nullable(), { access: "open", column: text(500) }),
    description: field(toolOverrideShape.description.unwrap().nullable(), { access: "open", column: longText }),
    hidden: field(z.boolean().default(false), { access: "open", column: bool }),
    arguments: field(toolOverrideShape.arguments.unwrap().nullable(), { access: "open", column: json }),
  },
  unique: [["server", "tool"]],
});
export type McpToolRow = RowType<typeof mcpTool>;
