// The public surface, written down by hand: what users may rely on. Change it on purpose, with a line in CHANGELOG.md; taking a name away is a breaking change.
// `node tools/surface.mjs` prints the present exports in this form.
import { expect, test } from "vitest";
import { codes } from "../packages/core/src/errors/codes.ts";
import { exportsOf, publicSurface } from "./surface.mjs";

/** Entry → the names it exports; `type X` exists in types only. */
const surface = {
  "@sallyport/adapter-kit": `
    answering, answerOf, type AnswerShape, type Arrived, type Asked, assertHostileTextIsKept, type Behaviour, blobsCases,
    blobsContract, type BlobsSubject, busCases, busContract, type BusSubject, bytesOf, cacheCases, cacheContract,
    type CacheSubject, type Case, type CaseFailure, chatDialect, countersCases, countersContract, type CountersSubject,
    type Counts, type Dialect, endingAt, endless, failure, failuresOf, type Fault, faultProxy, type FaultProxy, findBinary,
    freePort, googleDialect, hasService, holding, type HostileTextSubject, informing, inTurn, type Issued, jsonAnswer,
    kitEntities, type Lie, lies, listeningDriver, lyingAuthorizationServer, type LyingAuthorizationServer, lyingMcpServer,
    type LyingMcpServer, type LyingMcpServerOptions, type Made, type Make, type MariadbOptions, messagesDialect,
    misbehavingUpstream, notice, type Patience, poisoning, privateMariadb, type PrivateMariadb, privateRedis, type PrivateRedis,
    type PrivateServer, protectedMcpServer, type ProtectedMcpServer, rawAnswer, type RawAnswer, recordStoreCases,
    recordStoreContract, type RedisOptions, refusingEarly, refusingUpstream, resettingAt, responsesDialect, result, said,
    type SeenRequest, type Service, silent, type Speaker, splitting, sse, stallingAfter, type StoreCase, type StoreQuestion,
    storeQuestions, type StoreSubject, type TestFunction, type Time, type TokenLie, transcript, type Upstream, wakeupCases,
    wakeupContract, type WakeupSubject, type Wire`,
  "@sallyport/adapters-mysql": `
    type HostPool, mysql, type MysqlOptions, type MysqlSource, type TlsOptions`,
  "@sallyport/adapters-redis": `
    type NodeRedisClient, redis, type RedisOptions`,
  "@sallyport/adapters-sqlite": `
    sqlite, type SqliteAdapter, type SqliteOptions`,
  "@sallyport/core": `
    type Actor, type Alerts, type Answer, type Appended, type AppendOptions, type ArgumentRules, type AskOptions, type AuditTrail,
    type AuthHook, type AuthRequest, type BackupExtra, Backups, type BackupTrailer, type BegunSignIn, type BranchOptions,
    type Caller, type CodeGuardrail, type Config, type ConfigFile, type ConfigInput, type ConfigSources, defineProvider,
    type DroppedReference, effective, type EffectiveValue, type EmbedInput, type Enrichment, type EnrichmentFunction,
    type ErrorCode, type ExplainedTarget, type ExplainOptions, type ExportFormat, type ExportOptions, type FetchOptions,
    type Film, type FinishedSignIn, Gateway, GatewayError, type GatewayErrorOptions, type GatewayEvents, GatewayKeys,
    type GatewayOptions, type GeneratedAnswer, type GenerateInput, type GuardrailCheck, type GuardrailCheckContext,
    type GuardrailCheckFinding, type GuardrailDryRun, type Guardrails, type GuardrailTest, type HandleOptions, type HttpAnswer,
    type ImageInput, type ImportCounts, type ImportedKey, type ImportOptions, type ImportReport, type Inbound, type InProcess,
    type Json, type JsonObject, type KeyChange, type KeysQuery, type KeyVerifier, type KeyView, loadConfig, type LoadedConfig,
    type LogFields, type LoggerLike, type McpCallOptions, type McpChannel, type McpChannelOptions, type McpClientTransport,
    type McpOAuth, McpProxy, type McpServerInput, type Message, type MessageQuery, type MissingSecrets, Model, type ModelCall,
    type ModelEvent, type ModelOptions, Models, type ModelsDiff, type NewKey, type NewSession, type NewUser, Nodes, type NodeView,
    type OAuthStatus, type OAuthTokenInput, type OpenBackup, type OperationContext, type OtelOptions, parseMasterSecret,
    type Prices, Provider, type ProviderOperations, type ProviderOptions, Providers, type RefreshOptions, type RefusedRow,
    refuseWeakOwnerKey, type ReportPeriod, type RouteChange, type RouteExplanation, type RouteInput, Routes, type RouteView,
    type RuleVerdict, Run, type RunEvent, type RunRequest, type RunResult, type RunRow, Runs, type RunStatus,
    type RuntimeConfiguration, Secret, type ServerStatus, type SessionChange, type SessionQuery, type SessionRow, Sessions,
    type Setting, type SettingExplanation, type SettingLayer, type SettingSource, type SettingTest, type ShownKey,
    type SpeechInput, type StoredMessage, type StoredRunEvent, storedSettings, type StoredSettingView, type TaskContext,
    type TaskHandler, type TaskQuery, type TaskRequest, type TaskRow, TaskScheduler, type Telemetry, type ToolDefinition,
    type ToolResult, type Traces, type TranscribeInput, type Usage, type UsageDay, type UsageDimension, type UsageForecast,
    type UsageGroup, UsageLedger, type UsageQuery, type UsageRow, type UsageTotals, Users, type UserView, vendorVariables,
    VERSION, type VideoInput, type VideoOptions, type WhoseSignIn, type WriteLine`,
  "@sallyport/core/ports": `
    type Adjustment, append, assertChange, assertFields, assertFind, assertKey, assertSum, assertTake, assertWhere, assertWithin,
    type Blobs, type Bus, type Cache, type Change, type ChangesPage, type Clock, type Counters, type CountersNow, type Crypto,
    decodeChangesCursor, decodeCursor, decodeRow, decodeValue, type Demand, encodeChange, encodeCursor, type EncodedAppend,
    type EncodedChange, type EncodedErase, type EncodedInsert, type EncodedRemove, type EncodedUnit, type EncodedUpdate,
    type EncodedWrite, encodeUnits, encodeValue, erase, type ErrorCode, fieldTest, type FieldTest, type FindQuery, GatewayError,
    type GatewayErrorOptions, type Headers, type HttpClient, type HttpRequest, type HttpResponse, insert, isStoreNow, type Json,
    type JsonObject, type KeptInstants, type McpFrame, type McpSpawner, type McpWire, type MigratableStorage, moveIn,
    movesVersion, type NewRow, now, nowPlus, orderOf, type Position, type ReadQuery, type RecordStore, remove, type Scope, Secret,
    type SecretSource, type Shared, type SharedAdapter, type Slot, type Spending, type StdioServer, type StorageAdapter,
    type StoredInput, type StoredScalar, type StoreNow, type SumQuery, type SumRow, type TakeQuery, type Test, type Unit,
    type UnitResult, update, type Wakeup, type Where, type Within, type Write`,
  "@sallyport/core/entities": `
    type Access, alert, alertChannel, type AlertChannelRow, type AlertMetric, alertNotification, type AlertNotificationRow,
    type AlertRow, alertRule, type AlertRuleRow, allEntities, type AnyEntity, type AnyLogEntity, approvalCondition,
    type ApprovalCondition, approvalRule, type ApprovalRuleRow, type ArgumentOverride, argumentRule, type ArgumentRuleConfig,
    type ArgumentRuleRow, argumentRuleSchema, assertIndexed, auditEntry, type AuditRow, authEvent, type AuthEventKind,
    authEventKinds, type AuthEventRow, batchLine, type BatchLineEntry, type BegunCall, bool, budget, type BudgetPeriod,
    budgetPeriods, type BudgetRow, type BudgetScope, budgetScopes, budgetWindow, type BudgetWindowRow, type CacheRules,
    cacheRulesSchema, type Column, columnIndex, columnsByName, configEntry, type ConfigEntryRow, configRevision,
    type ConfigRevisionRow, dataKey, type DataKeyRow, type Dated, defineEntity, defineLedger, defineLog, detection,
    type DetectionRow, type DetectionType, detectionTypes, enrichmentRule, type EnrichmentRule, type EnrichmentRuleRow,
    enrichmentSchema, type Entity, type FailureClass, failureClasses, field, type Field, type FieldTraits, fileChunk,
    type FileChunkRow, gatewayKey, type GatewayKeyRow, guardrail, type GuardrailAction, guardrailActions, type GuardrailInput,
    guardrailInputOf, type GuardrailKind, guardrailKinds, type GuardrailRow, type GuardrailRules, guardrailSchema,
    guardrailSettings, type GuardrailSettings, type GuardrailStage, guardrailStages, idempotencyKey, type IdempotencyKeyRow,
    inboxItem, type InboxItemRow, inboxKind, type InboxKind, inboxStatus, type InboxStatus, int, interrupt, type InterruptRow,
    isIndexed, json, jsonOrNull, type Kept, type Key, type KeyRateLimit, type LimitAmounts, limitSchema, limitShape,
    type LimitSubject, limitSubjects, type LogEntity, longText, mcpNews, type McpNewsRow, mcpServer, type McpServerRow,
    mcpSession, type McpSessionRow, mcpTool, type McpToolRow, message, type MessageEntry, nameSchema, namespace,
    type NamespaceRow, type NamespaceRules, namespaceSchema, newSession, node, type NodeOffers, type NodeRow, nodeState,
    oauthClient, type OAuthClientRow, oauthState, type OAuthStateRow, oauthToken, type OAuthTokenRow, opaqueToken,
    type OpaqueTokenRow, openApiSettings, openCalls, type OpenCallsRow, parkedCall, type ParkedCallRow, persona, type PersonaRow,
    type PersonaRules, personaSchema, type PiiType, piiTypes, pinMode, type PinMode, pinStatus, type PinStatus, plainKey, project,
    type ProjectRow, rateLimit, type RateLimitRow, referencesOf, reservation, type ReservationRow, type ReservationShare,
    type RestTraits, type RestVerb, role, roleBinding, type RoleBindingRow, type RoleRow, route, type RouteInput, type RouteRow,
    type RouteRules, routeSchema, routeShape, type RowReference, type RowType, run, runEvent, type RunEventEntry, type RunRow,
    runStep, type RunStepEntry, scopeList, type SemanticRules, serverAuthModes, serverOAuth, type ServerResilience,
    type ServerResilienceInput, serverResilienceSchema, type ServerType, serverTypes, session, sessionChange, sessionMcp,
    type SessionMcp, sessionMetadata, type SessionRow, sessionStatus, settingKeySchema, severities, type Severity, signInState,
    type SignInStateRow, storedColumn, type StoredColumn, storedColumns, storedModel, type StoredModelRow, storedProvider,
    storedProviderKey, type StoredProviderKeyRow, type StoredProviderRow, storedResponse, storedResponseEvents,
    type StoredResponseEventsRow, storedResponseItem, type StoredResponseItemRow, type StoredResponseRow, task, type TaskRow,
    team, type TeamRow, text, toolClass, type ToolClass, toolClassification, type ToolClassificationRow, toolDefinition,
    type ToolDefinitionRow, type ToolFilter, toolFilterSchema, type ToolOverride, toolPermission, type ToolPermissionRow, toolPin,
    type ToolPinRow, toolResult, toolResultPart, type ToolResultPartRow, type ToolResultRow, type ToolShapeRules, toolShapeSchema,
    traceSpan, type TraceSpanRow, usageEntry, type UsageRow, usedRequestState, type UsedRequestStateRow, user, username,
    type UserRow, vendorObject, type VendorObjectRow, webSession, type WebSessionRow`,
  "@sallyport/core/client": `
    type Asked, type BulkItem, type BulkResult, type CallOptions, type ChangeOptions, type ChatClient, type Client,
    type ClientOptions, createClient, type CreateOptions, type ErrorCode, type EventsOptions, GatewayError, type KeptView,
    type ListOptions, type Page, type ResourceClient, type ResourceShape, type ResourceShapes, type RunsClient,
    type SessionAppendOptions, type SessionBranchOptions, type SessionMessage, type SessionMessagePage,
    type SessionMessagesOptions, type SessionsClient`,
  "@sallyport/core/node": `
    type HandlingGateway, NodeExchange, type NodeExchangeOptions, NodeInbound, type NodeInboundOptions, type PipedGateway,
    readSecretFile, readTarget, secretFile, serve, type ServedGateway, type ServeOptions, type ServerSettings, serveStdio,
    type ServeStdioOptions, type Serving`,
  "@sallyport/core/testing": `
    cassette, type CassetteOptions, createTestGateway, FakeClock, type Recording, script, type ScriptedCall, type ScriptedModel,
    TEST_OWNER_KEY, type TestGatewayOptions, type Turn`,
  "@sallyport/host-express": `
    type ExpressHandler, type ExpressRequest, mount`,
  "@sallyport/sql": `
    type ActualColumn, type Answer, applyMigrations, type Begin, derivedMigration, type Drift, isCheckable, LostRace, migrate,
    type MigrateMode, type MigrateOptions, type Migration, migrationScript, migrationState, NotForeseen, type Query, schemaDrift,
    type Shared, type SqlDialect, type SqlDriver, sqlRecordStore, type SqlValue, type Statement, statementsOf, type Tables,
    type Work`,
};

/** Code and HTTP status of every error. */
const errorCodes = `
    address_refused 403, approval_required 403, authorization_required 403, bad_request 400, budget_exceeded 402, cancelled 499, conflict 409,
    content_blocked 403, deadline_exceeded 504, forbidden 403, host_refused 403, idempotency_key_reuse 409, internal 500,
    invalid_config 500, invalid_json 400, lease_lost 409, limit_reached 500, method_not_allowed 405, misconfigured 500,
    missing_dependency 500, model_not_found 404, not_found 404, origin_refused 403, outcome_unknown 500, overloaded 503,
    payload_too_large 413, port_in_use 500, precondition_failed 412, rate_limited 429, shutting_down 503, state_corrupt 500, stdio_not_allowed 403,
    store_unavailable 503, tool_definition_changed 403, tool_failed 502, tool_not_found 404, unauthenticated 401, unknown_resource_type 404, unsupported_feature 422,
    unsupported_media_type 415, upstream_credential 502, upstream_interrupted 502, upstream_protocol 502,
    upstream_rate_limited 429, upstream_rejected 400, upstream_timeout 504, upstream_unavailable 502, validation_failed 400`;

/** @param {string} text */
const listed = (text) => text.split(",").map((name) => name.trim().replace(/\s+/g, " "));

test("every entry exports exactly what is listed", () => {
  expect(publicSurface()).toEqual(Object.fromEntries(Object.entries(surface).map(([entry, names]) => [entry, listed(names)])));
});

test("the error codes and their statuses are exactly those listed", () => {
  expect(
    Object.entries(codes)
      .map(([code, { status }]) => `${code} ${status}`)
      .sort(),
  ).toEqual(listed(errorCodes));
});

test("an entry names what is public: export * is refused", () => {
  expect(() => exportsOf("index.ts", 'export * from "./gateway.js";')).toThrow("exports *");
});

test("every form of export is read", () => {
  const text = `export { a, type B, c as d } from "./x.js"; export type { E } from "./y.js"; export const f = 1; export function g() {}
    export class H {} export interface I {} export type J = 1; const hidden = 2;`;
  expect(exportsOf("index.ts", text)).toEqual(["a", "type B", "d", "type E", "f", "g", "H", "type I", "type J"]);
});
