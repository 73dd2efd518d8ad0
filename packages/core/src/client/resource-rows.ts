import type {
  AlertChannelRow,
  AlertRuleRow,
  ApprovalRuleRow,
  ArgumentRuleRow,
  AuthEventRow,
  BudgetRow,
  ConfigEntryRow,
  EnrichmentRuleRow,
  GatewayKeyRow,
  GuardrailRow,
  Kept,
  McpServerRow,
  McpToolRow,
  NamespaceRow,
  NodeRow,
  PersonaRow,
  ProjectRow,
  RateLimitRow,
  RoleBindingRow,
  RoleRow,
  RouteRow,
  SessionRow,
  StoredModelRow,
  StoredProviderKeyRow,
  StoredProviderRow,
  TaskRow,
  TeamRow,
  ToolClassificationRow,
  ToolPermissionRow,
  UserRow,
} from "../entities/index.js";
import type { newKeyBody, newProjectBody, newUserBody } from "../routes/admin/access-inputs.js";
import type { InputOf, OnWire, RouteCall, sessionRoutes, Snake } from "../routes/index.js";

/** What of a row a client gives and gets: `Hidden` are digests, `Secret` what is shown only as set or not, `Needed` what a creation has to give. */
export interface ResourceShape<Row, Needed extends keyof Row = never, Hidden extends keyof Row = never, Secret extends keyof Row = never> {
  readonly view: OnWire<Omit<Row, Hidden | Secret | keyof Kept>> & {
    readonly [K in Secret as Snake<K & string>]: { readonly set: boolean };
  } & KeptView;
  readonly create: Pick<Given<Row, Hidden>, Snake<Needed & string> & keyof Given<Row, Hidden>> & Partial<Given<Row, Hidden>>;
  readonly change: Partial<Nullable<Given<Row, Hidden>>> & { readonly if_version?: number };
}
/** The same, where a creation takes other fields than the row has, and may show something once. */
interface OwnShape<Shape extends { readonly view: unknown; readonly change: unknown }, Create, Once = unknown> {
  readonly view: Shape["view"] & Partial<Once>;
  readonly create: Create;
  readonly change: Shape["change"];
}
type Given<Row, Hidden extends keyof Row> = OnWire<Omit<Row, Hidden | keyof Kept>>;
type Nullable<T> = { [K in keyof T]: (T[K] extends object ? Nullable<T[K]> | T[K] | Partial<T[K]> : T[K]) | null };

/** null: the row is of the configuration, or of the program. */
export interface KeptView {
  readonly id: string;
  readonly origin: "code" | "configuration" | "database";
  readonly version: number | null;
  readonly created_at_ms: number | null;
  readonly updated_at_ms: number | null;
}

/** By the name that a resource has in the client. A test holds that every resource of the gateway is here. */
export interface ResourceShapes {
  readonly alertChannels: ResourceShape<AlertChannelRow, "name" | "kind", never, "secret">;
  readonly alertRules: ResourceShape<AlertRuleRow, "name" | "metric" | "condition" | "threshold">;
  readonly approvalRules: ResourceShape<ApprovalRuleRow>;
  readonly argumentRules: ResourceShape<ArgumentRuleRow, "name" | "tools" | "when" | "effect">;
  readonly authEvents: ResourceShape<AuthEventRow>;
  readonly budgets: ResourceShape<BudgetRow, "scope" | "amountUsd" | "period">;
  readonly config: ResourceShape<ConfigEntryRow, "key" | "value">;
  readonly enrichmentRules: ResourceShape<EnrichmentRuleRow, "server" | "tool" | "source">;
  readonly guardrails: ResourceShape<GuardrailRow, "name">;
  readonly keys: OwnShape<
    ResourceShape<GatewayKeyRow, never, "digest" | "previousDigest" | "legacyHash">,
    InputOf<typeof newKeyBody>,
    { /** The key itself, in the answer to its creation only. */ readonly key: string }
  >;
  readonly mcpServers: ResourceShape<McpServerRow, "name", never, "credential" | "clientSecret">;
  readonly mcpTools: ResourceShape<McpToolRow, "server" | "tool">;
  readonly models: ResourceShape<StoredModelRow, "provider" | "code">;
  readonly namespaces: ResourceShape<NamespaceRow, "name" | "servers">;
  readonly nodes: ResourceShape<NodeRow>;
  readonly personas: ResourceShape<PersonaRow, "name">;
  readonly projects: OwnShape<ResourceShape<ProjectRow>, InputOf<typeof newProjectBody>>;
  readonly providerKeys: ResourceShape<StoredProviderKeyRow, "provider" | "value", never, "value">;
  readonly providers: ResourceShape<StoredProviderRow, "name", never, "apiKey">;
  readonly rateLimits: ResourceShape<RateLimitRow>;
  readonly roleBindings: ResourceShape<RoleBindingRow>;
  readonly roles: ResourceShape<RoleRow, "name">;
  readonly routes: ResourceShape<RouteRow, "name" | "targets">;
  readonly sessions: {
    readonly view: ResourceShape<SessionRow>["view"];
    readonly create: RouteCall<typeof sessionRoutes.create>["body"];
    readonly change: RouteCall<typeof sessionRoutes.update>["body"];
  };
  readonly tasks: ResourceShape<TaskRow>;
  readonly teams: ResourceShape<TeamRow, "name">;
  readonly toolClassifications: ResourceShape<ToolClassificationRow>;
  readonly toolPermissions: ResourceShape<ToolPermissionRow>;
  readonly users: OwnShape<ResourceShape<UserRow, never, "passwordHash" | "externalId">, InputOf<typeof newUserBody>>;
}

/** Where each is: the last part of `/api/v1/{path}`. */
export const resourcePaths: Readonly<Record<keyof ResourceShapes, string>> = {
  alertChannels: "alert-channels",
  alertRules: "alert-rules",
  approvalRules: "approval-rules",
  argumentRules: "argument-rules",
  authEvents: "auth-events",
  budgets: "budgets",
  config: "config",
  enrichmentRules: "enrichment-rules",
  guardrails: "guardrails",
  keys: "keys",
  mcpServers: "mcp-servers",
  mcpTools: "mcp-tools",
  models: "models",
  namespaces: "namespaces",
  nodes: "nodes",
  personas: "personas",
  projects: "projects",
  providerKeys: "provider-keys",
  providers: "providers",
  rateLimits: "rate-limits",
  roleBindings: "role-bindings",
  roles: "roles",
  routes: "routes",
  sessions: "sessions",
  tasks: "tasks",
  teams: "teams",
  toolClassifications: "tool-classifications",
  toolPermissions: "tool-permissions",
  users: "users",
};
