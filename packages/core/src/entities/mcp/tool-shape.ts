import { z } from "zod";

const glob = z.string().min(1).max(200);
const globs = z.array(glob).max(1_000);

/** Which tools are there; `*` stands for any characters, and a denial wins. */
export const toolFilterShape = {
  allow: globs.optional().describe("globs of the tools that are there; left out: all"),
  deny: globs.optional().describe("globs of tools that are not there, whatever allow says"),
};
export const toolFilterSchema = z.strictObject(toolFilterShape);
export type ToolFilter = z.output<typeof toolFilterSchema>;

const argumentShape = z.strictObject({
  value: z.json().optional().describe("what the server gets, whatever the caller says; the argument is not shown"),
  hidden: z.boolean().optional().describe("the argument is not shown, and a call that gives it is refused"),
  description: z.string().max(4_000).optional().describe("shown in the place of the server's"),
  default: z.json().optional().describe("what the server gets when the caller leaves it out; the argument is no longer required"),
});
export type ArgumentOverride = z.output<typeof argumentShape>;

export const toolOverrideShape = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,128}$/, "1 to 128 of letters, digits, _, - and .")
    .optional()
    .describe("shown to MCP clients in the place of the server's own; grants, policy and audit keep the server's own"),
  title: z.string().max(500).optional(),
  description: z.string().max(16_000).optional(),
  hidden: z.boolean().optional().describe("neither shown nor callable"),
  arguments: z.record(z.string().min(1).max(200), argumentShape).optional(),
};
const toolOverride = z.strictObject(toolOverrideShape);
export type ToolOverride = z.output<typeof toolOverride>;

/** What of a server's tools is there, and how they are shown; for configuration and store alike. */
export const toolShapeSchema = z
  .strictObject({
    ...toolFilterShape,
    overrides: z.record(z.string().min(1).max(512), toolOverride).optional().describe("by the server's own name of the tool"),
  })
  .superRefine(({ overrides }, context) => {
    const taken = new Map<string, string>();
    for (const [tool, { name }] of Object.entries(overrides ?? {})) {
      if (name === undefined) continue;
      const other = taken.get(name);
      if (other !== undefined)
        context.addIssue({ code: "custom", path: ["overrides", tool, "name"], message: `is the name that "${other}" is given too` });
      taken.set(name, tool);
    }
  });
export type ToolShapeRules = z.output<typeof toolShapeSchema>;

/** What becomes of a tool whose definition is not the one that was approved. */
export const pinMode = z.enum(["off", "warn", "quarantine"]);
export type PinMode = z.output<typeof pinMode>;
