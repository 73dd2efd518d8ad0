import type { AnyEntity, AnyLogEntity } from "./define-entity.js";
import { authEvent, gatewayKey, persona, project, role, roleBinding, signInState, team, user, webSession } from "./access/index.js";
import { configEntry, configRevision } from "./config-entry.js";
import { idempotencyKey } from "./idempotency-key.js";
import { usageEntry } from "./ledgers.js";
import { rateLimit } from "./limits/rate-limit.js";
import { budget, budgetWindow } from "./money/budget.js";
import { openCalls, reservation } from "./money/reservation.js";
import {
  argumentRule,
  enrichmentRule,
  mcpNews,
  mcpServer,
  mcpSession,
  mcpTool,
  namespace,
  oauthClient,
  oauthState,
  oauthToken,
  parkedCall,
  toolDefinition,
  toolPin,
  toolResult,
  toolResultPart,
  usedRequestState,
} from "./mcp/index.js";
import { node } from "./node.js";
import { opaqueToken } from "./opaque-token.js";
import { route } from "./route.js";
import { run, runEvent, runStep } from "./run.js";
import { message, session } from "./sessions/index.js";
import { approvalRule } from "./approvals/approval-rule.js";
import { inboxItem, interrupt } from "./inbox/index.js";
import { toolClassification } from "./approvals/tool-classification.js";
import { toolPermission } from "./approvals/tool-permission.js";
import { storedModel, storedProvider, storedProviderKey } from "./providers/stored-provider.js";
import { dataKey } from "./secrets/data-key.js";
import { detection, guardrail } from "./safety/index.js";
import { storedResponse, storedResponseEvents, storedResponseItem } from "./stored-response.js";
import { task } from "./task.js";
import { alert, alertChannel, alertNotification, alertRule, auditEntry, traceSpan } from "./telemetry/index.js";
import { batchLine, fileChunk, vendorObject } from "./vendor-object.js";

export {
  bool,
  defineEntity,
  defineLedger,
  defineLog,
  field,
  int,
  json,
  jsonOrNull,
  longText,
  text,
  type Access,
  type AnyEntity,
  type AnyLogEntity,
  type Column,
  type Dated,
  type Entity,
  type Field,
  type FieldTraits,
  type Kept,
  type Key,
  type LogEntity,
  type RestTraits,
  type RestVerb,
  type RowType,
} from "./define-entity.js";
export {
  authEvent,
  authEventKinds,
  gatewayKey,
  persona,
  personaSchema,
  plainKey,
  project,
  role,
  roleBinding,
  scopeList,
  signInState,
  team,
  user,
  username,
  webSession,
  type AuthEventKind,
  type AuthEventRow,
  type GatewayKeyRow,
  type KeyRateLimit,
  type PersonaRow,
  type PersonaRules,
  type ProjectRow,
  type RoleBindingRow,
  type RoleRow,
  type SignInStateRow,
  type TeamRow,
  type UserRow,
  type WebSessionRow,
} from "./access/index.js";
export { configEntry, configRevision, settingKeySchema, type ConfigEntryRow, type ConfigRevisionRow } from "./config-entry.js";
export { idempotencyKey, type IdempotencyKeyRow } from "./idempotency-key.js";
export { assertIndexed, isIndexed } from "./indexed.js";
export { usageEntry, type UsageRow } from "./ledgers.js";
export {
  limitSchema,
  limitShape,
  limitSubjects,
  rateLimit,
  type LimitAmounts,
  type LimitSubject,
  type RateLimitRow,
} from "./limits/rate-limit.js";
export {
  budget,
  budgetPeriods,
  budgetScopes,
  budgetWindow,
  type BudgetPeriod,
  type BudgetRow,
  type BudgetScope,
  type BudgetWindowRow,
} from "./money/budget.js";
export {
  openCalls,
  reservation,
  type BegunCall,
  type OpenCallsRow,
  type ReservationRow,
  type ReservationShare,
} from "./money/reservation.js";
export {
  argumentRule,
  enrichmentRule,
  argumentRuleSchema,
  serverResilienceSchema,
  enrichmentSchema,
  mcpNews,
  mcpServer,
  mcpSession,
  mcpTool,
  namespace,
  namespaceSchema,
  oauthClient,
  oauthState,
  oauthToken,
  openApiSettings,
  parkedCall,
  pinMode,
  pinStatus,
  serverAuthModes,
  serverOAuth,
  serverTypes,
  toolDefinition,
  toolFilterSchema,
  toolPin,
  toolResult,
  toolResultPart,
  toolShapeSchema,
  usedRequestState,
  type ArgumentOverride,
  type ArgumentRuleConfig,
  type ArgumentRuleRow,
  type ServerResilience,
  type ServerResilienceInput,
  type EnrichmentRule,
  type EnrichmentRuleRow,
  type McpNewsRow,
  type McpServerRow,
  type McpSessionRow,
  type McpToolRow,
  type NamespaceRow,
  type NamespaceRules,
  type OAuthClientRow,
  type OAuthStateRow,
  type OAuthTokenRow,
  type ParkedCallRow,
  type PinMode,
  type PinStatus,
  type ServerType,
  type ToolDefinitionRow,
  type ToolFilter,
  type ToolOverride,
  type ToolPinRow,
  type ToolResultPartRow,
  type ToolResultRow,
  type ToolShapeRules,
  type UsedRequestStateRow,
} from "./mcp/index.js";
export { node, nodeState, type NodeOffers, type NodeRow } from "./node.js";
export { opaqueToken, type OpaqueTokenRow } from "./opaque-token.js";
export {
  cacheRulesSchema,
  failureClasses,
  nameSchema,
  route,
  routeSchema,
  routeShape,
  type CacheRules,
  type SemanticRules,
  type FailureClass,
  type RouteInput,
  type RouteRow,
  type RouteRules,
} from "./route.js";
export { run, runEvent, runStep, type RunEventEntry, type RunRow, type RunStepEntry } from "./run.js";
export {
  message,
  newSession,
  session,
  sessionChange,
  sessionMcp,
  sessionMetadata,
  sessionStatus,
  type MessageEntry,
  type SessionMcp,
  type SessionRow,
} from "./sessions/index.js";
export {
  detection,
  detectionTypes,
  guardrail,
  guardrailActions,
  guardrailInputOf,
  guardrailKinds,
  guardrailSchema,
  guardrailSettings,
  guardrailStages,
  piiTypes,
  severities,
  type DetectionRow,
  type DetectionType,
  type GuardrailAction,
  type GuardrailInput,
  type GuardrailKind,
  type GuardrailRow,
  type GuardrailRules,
  type GuardrailSettings,
  type GuardrailStage,
  type PiiType,
  type Severity,
} from "./safety/index.js";
export { approvalCondition, approvalRule, type ApprovalCondition, type ApprovalRuleRow } from "./approvals/approval-rule.js";
export {
  inboxItem,
  inboxKind,
  inboxStatus,
  interrupt,
  type InboxItemRow,
  type InboxKind,
  type InboxStatus,
  type InterruptRow,
} from "./inbox/index.js";
export { toolClass, toolClassification, type ToolClass, type ToolClassificationRow } from "./approvals/tool-classification.js";
export { toolPermission, type ToolPermissionRow } from "./approvals/tool-permission.js";
export {
  storedModel,
  storedProvider,
  storedProviderKey,
  type StoredModelRow,
  type StoredProviderKeyRow,
  type StoredProviderRow,
} from "./providers/stored-provider.js";
export { dataKey, type DataKeyRow } from "./secrets/data-key.js";
export { referencesOf, type RowReference } from "./references.js";
export { columnIndex, columnsByName, storedColumn, storedColumns, type StoredColumn } from "./stored-columns.js";
export {
  storedResponse,
  storedResponseEvents,
  storedResponseItem,
  type StoredResponseEventsRow,
  type StoredResponseItemRow,
  type StoredResponseRow,
} from "./stored-response.js";
export { task, type TaskRow } from "./task.js";
export {
  alert,
  alertChannel,
  alertNotification,
  alertRule,
  auditEntry,
  traceSpan,
  type AlertChannelRow,
  type AlertMetric,
  type AlertNotificationRow,
  type AlertRow,
  type AlertRuleRow,
  type AuditRow,
  type TraceSpanRow,
} from "./telemetry/index.js";
export {
  batchLine,
  fileChunk,
  vendorObject,
  type BatchLineEntry,
  type FileChunkRow,
  type VendorObjectRow,
} from "./vendor-object.js";

/** Everything that Sallyport stores: what a store creates tables for. */
export const allEntities: readonly (AnyEntity | AnyLogEntity)[] = [
  gatewayKey,
  user,
  team,
  project,
  role,
  roleBinding,
  persona,
  webSession,
  signInState,
  authEvent,
  run,
  runEvent,
  runStep,
  task,
  usageEntry,
  auditEntry,
  opaqueToken,
  route,
  storedResponse,
  storedResponseItem,
  storedResponseEvents,
  vendorObject,
  fileChunk,
  batchLine,
  idempotencyKey,
  dataKey,
  storedProvider,
  storedProviderKey,
  storedModel,
  toolClassification,
  toolPermission,
  approvalRule,
  inboxItem,
  interrupt,
  traceSpan,
  alertRule,
  alertChannel,
  alert,
  alertNotification,
  guardrail,
  detection,
  rateLimit,
  budget,
  budgetWindow,
  reservation,
  openCalls,
  session,
  message,
  configEntry,
  configRevision,
  node,
  mcpSession,
  mcpNews,
  parkedCall,
  mcpServer,
  oauthToken,
  oauthState,
  oauthClient,
  namespace,
  mcpTool,
  toolPin,
  toolDefinition,
  toolResult,
  toolResultPart,
  usedRequestState,
  argumentRule,
  enrichmentRule,
];
