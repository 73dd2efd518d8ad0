export { Gateway } from "./gateway.js";
export { type GatewayOptions } from "./gateway-options.js";

export {
  GatewayKeys,
  refuseWeakOwnerKey,
  Users,
  type Actor,
  type AuthHook,
  type AuthRequest,
  type ImportedKey,
  type KeyChange,
  type KeysQuery,
  type KeyVerifier,
  type KeyView,
  type NewKey,
  type NewUser,
  type ShownKey,
  type UserView,
} from "./access/index.js";
export { type RunResult, Run } from "./agents/run.js";
export { Runs } from "./agents/runs.js";
export {
  Backups,
  type BackupExtra,
  type BackupTrailer,
  type DroppedReference,
  type ExportOptions,
  type ImportCounts,
  type ImportOptions,
  type ImportReport,
  type MissingSecrets,
  type OpenBackup,
  type RefusedRow,
} from "./backup/index.js";
export {
  type Answer,
  type Caller,
  type ExplainedTarget,
  type ExplainOptions,
  type HttpAnswer,
  type Inbound,
  type Json,
  type JsonObject,
  type Message,
  type ModelCall,
  type ModelEvent,
  type RouteExplanation,
  type RunEvent,
  type RunStatus,
  type StoredRunEvent,
  type ToolDefinition,
  type ToolResult,
  type Usage,
} from "./calls/index.js";
export { effective, type EffectiveValue } from "./config/effective.js";
export { vendorVariables } from "./config/environment.js";
export { loadConfig, type ConfigFile, type ConfigSources, type LoadedConfig } from "./config/load-config.js";
export { parseMasterSecret } from "./config/master-secret.js";
export {
  storedSettings,
  type RuntimeConfiguration,
  type Setting,
  type SettingExplanation,
  type SettingLayer,
  type SettingSource,
  type SettingTest,
  type StoredSettingView,
} from "./config/runtime/index.js";
export { type Config, type ConfigInput } from "./config/schema.js";
export { type RouteInput, type RunRow, type SessionRow, type TaskRow, type UsageRow } from "./entities/index.js";
export { GatewayError, type ErrorCode, type GatewayErrorOptions } from "./errors/index.js";
export { type FetchOptions } from "./http/index.js";
export {
  type Check as GuardrailCheck,
  type CheckContext as GuardrailCheckContext,
  type CheckFinding as GuardrailCheckFinding,
  type CodeGuardrail,
  type DryRun as GuardrailDryRun,
  type Guardrails,
  type GuardrailTest,
} from "./policy/guardrails/index.js";
export { type ArgumentRules, type RuleVerdict } from "./policy/argument-rules/argument-rules.js";
export { Nodes, type NodeView } from "./fleet/index.js";
export {
  McpProxy,
  type BegunSignIn,
  type Enrichment,
  type EnrichmentFunction,
  type FinishedSignIn,
  type McpCallOptions,
  type McpChannel,
  type McpChannelOptions,
  type McpClientTransport,
  type McpOAuth,
  type McpServerInput,
  type OAuthStatus,
  type OAuthTokenInput,
  type ServerStatus,
  type WhoseSignIn,
} from "./mcp/index.js";
export {
  defineProvider,
  Model,
  Models,
  Provider,
  Providers,
  type AskOptions,
  type EmbedInput,
  type Film,
  type GeneratedAnswer,
  type GenerateInput,
  type ImageInput,
  type InProcess,
  type ModelOptions,
  type ModelsDiff,
  type OperationContext,
  type Prices,
  type ProviderOperations,
  type ProviderOptions,
  type RefreshOptions,
  type SpeechInput,
  type TranscribeInput,
  type VideoInput,
  type VideoOptions,
} from "./providers/index.js";
export { UsageLedger } from "./policy/money/usage/usage-ledger.js";
export {
  type ReportPeriod,
  type UsageDay,
  type UsageDimension,
  type UsageForecast,
  type UsageGroup,
  type UsageQuery,
  type UsageTotals,
} from "./policy/money/usage/usage-reports.js";
export { type RouteChange, Routes, type RouteView } from "./routing/index.js";
export { type Alerts, type AuditTrail, type GatewayEvents, type RunRequest, type Telemetry, type Traces } from "./seams/index.js";
export { type HandleOptions, type TaskContext, type TaskHandler } from "./tasks/task-handler.js";
export { type TaskRequest } from "./tasks/task-request.js";
export {
  Sessions,
  type AppendOptions,
  type Appended,
  type BranchOptions,
  type ExportFormat,
  type MessageQuery,
  type NewSession,
  type SessionChange,
  type SessionQuery,
  type StoredMessage,
} from "./sessions/index.js";
export { TaskScheduler, type TaskQuery } from "./tasks/task-scheduler.js";
export { type OtelOptions } from "./telemetry/index.js";
export { type LoggerLike, type LogFields, type WriteLine } from "./util/log.js";
export { Secret } from "./util/secret.js";
export { VERSION } from "./util/version.js";
