export { MAX_DEPTH, type CallOptions, type Origin } from "./call-options.js";
export { type Conversations, type EndedTurn, type HeldTurn, type OpenedTurn } from "./conversations.js";
export { type DryRun, type DryRunInput, type Enrichments, type FiredRule } from "./mcp/enrichments.js";
export { EventHub, type GatewayEvents } from "./event-hub.js";
export {
  type Approving,
  type Denying,
  type Inbox,
  type InboxItem,
  type InboxKeeper,
  type InboxQuery,
  type InboxSource,
  type Settling,
  type Showing,
  type Verdict,
} from "./inbox.js";
export { type ListedModel, type ModelCaller, type Operated, type WireCall } from "./model-caller.js";
export { type InputItemsPage, type Responses } from "./responses.js";
export { type InputMessage, type RunRequest, type RunStarter } from "./run-starter.js";
export { ResourceActionsTable, type ActionOptions, type ResourceActions } from "./resource-actions.js";
export { type ToolCall, type ToolCaller } from "./mcp/tool-caller.js";
export { type DetectionQuery, type DetectionSummary, type Safety, type SafetyTest } from "./safety.js";
export { createSeams, Seam, type SealedPlace, type Seams, type Vault } from "./seams.js";
export { type Services } from "./services.js";
export {
  type Batches,
  type BatchFace,
  type BatchRequest,
  type BatchResult,
  type Files,
  type NewBatch,
  type NewFile,
  type ObjectContent,
  type ObjectList,
  type ObjectPage,
  type StoredBatch,
  type StoredFile,
  type StoredVideo,
  type VendorObjects,
  type Videos,
} from "./vendor-objects.js";
export {
  type Alerts,
  type AuditQuery,
  type AuditStats,
  type AuditTrail,
  type AuditVerdict,
  type Bucket,
  type Page,
  type Paged,
  type ServerStats,
  type Telemetry,
  type TracedCall,
  type TraceQuery,
  type Traces,
  type TraceStats,
} from "./telemetry.js";
export type { FoundTool, McpServers, OAuthStatus, ServerAuthMode, ServerFacts, ServerTool } from "./mcp/mcp-servers.js";
export type { PinDecision, PinDetail, PinDifference, PinQuery, ToolPins } from "./mcp/tool-pins.js";
export { type CallCheck, type CallDecider, type CallExplanation } from "./mcp/call-explanation.js";
