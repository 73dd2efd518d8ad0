/** One subject of grants: what stands before the colon of a scope. */
export interface PermissionRow {
  readonly what: string;
  readonly title: string;
  /**
   * `use`: what callers do with the gateway; a key that is made without scopes has these of its maker. `admin`: what changes or shows the gateway itself: never given unless it is named, and what
   * `admin:read`, `admin:write` and `admin:*` stand for.
   */
  readonly kind: "use" | "admin";
  /** What may stand after the colon: `read`, `write`, `export`, or with `names` globs over names of that kind. */
  readonly names: "read-write" | "names";
}

const use = (what: string, title: string, names: PermissionRow["names"] = "read-write"): PermissionRow => ({
  what,
  title,
  kind: "use",
  names,
});
const admin = (what: string, title: string): PermissionRow => ({ what, title, kind: "admin", names: "read-write" });

/**
 * Every subject there is. A subject whose names are globs (`models:*`) is never also the permission of an administration resource: who may call every model could change the catalogue.
 */
export const permissions: readonly PermissionRow[] = [
  use("models", "Call models, by provider/model and route/name", "names"),
  use("routes", "Call routes by their name; the same as models:route/<name>", "names"),
  use("mcp", "Call MCP tools, by server__tool, and read a server's resources and prompts", "names"),
  use("namespaces", "Restricted MCP namespaces, by their name", "names"),
  use("operations", "Which operations of models: generate, embed, image, speech, transcribe, video, …", "names"),
  use("runs", "Start, read and cancel runs"),
  use("tasks", "Submit, read and cancel tasks"),
  use("sessions", "Conversations"),
  use("agents", "Agents"),
  use("documents", "Documents"),
  use("reports", "Reports"),
  use("codebases", "Codebases"),
  use("resources", "Resources"),
  use("assets", "Assets"),
  use("triggers", "Triggers"),
  use("schedules", "Schedules"),
  admin("keys", "Gateway API keys"),
  admin("users", "Users"),
  admin("teams", "Teams"),
  admin("projects", "Projects"),
  admin("roles", "Roles, and who holds them"),
  admin("providers", "Providers and their keys"),
  admin("catalogue", "Models as they are declared"),
  admin("routing", "Stored routes"),
  admin("servers", "MCP servers, tools and namespaces"),
  admin("credentials", "Stored credentials"),
  admin("secrets", "Rotation of secrets"),
  admin("config", "Configuration"),
  admin("limits", "Rate limits"),
  admin("budgets", "Budgets"),
  admin("usage", "Usage and costs"),
  admin("costs", "Cost reports"),
  admin("guardrails", "Guardrails, and what they found"),
  admin("approvals", "Approvals, their rules, and the inbox"),
  admin("inbox", "What waits for a person"),
  admin("cache", "Kept responses"),
  admin("alerts", "Alert rules, channels and alerts"),
  admin("audit", "The audit trail, and who signed in"),
  admin("traces", "Traces and spans"),
  admin("metrics", "Metrics"),
  admin("nodes", "The gateway's processes"),
];

const rows: ReadonlyMap<string, PermissionRow> = new Map(permissions.map((row) => [row.what, row]));

/** undefined: there is no such subject. */
export function permissionOf(what: string): PermissionRow | undefined {
  return rows.get(what);
}

/** Whether `admin:…` speaks of it. Cheap: asked only when no other grant named it. */
export function isAdministration(what: string): boolean {
  return rows.get(what)?.kind === "admin";
}

/** Everything that callers do, and nothing that changes the gateway. */
export const useScopes: readonly string[] = permissions.filter(({ kind }) => kind === "use").map(({ what }) => `${what}:*`);
