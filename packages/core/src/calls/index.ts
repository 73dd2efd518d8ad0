export { type Answer, type AnswerBody, type Face, type Headers, type HttpAnswer, type LiveAnswer, type Outcome } from "./answer.js";
export { type CallHead, type ModelHead, type ModelOperation, type ToolHead } from "./call-head.js";
export { DEFAULT_PROJECT, SYSTEM_CALLER, type Caller, type PersonaBound } from "./caller.js";
export { Fold, fold, unfold, type AnswerPart, type Candidate, type ModelAnswer } from "./fold.js";
export { type Inbound } from "./inbound.js";
export { type Json, type JsonObject } from "./json.js";
export { checkedMessage } from "./messages/checked-message.js";
export {
  type CacheMark,
  type Citation,
  type HostedTool,
  type MediaPart,
  type Message,
  type ModelCall,
  type NativePart,
  type OutputFormat,
  type ReasoningOptions,
  type ReasoningPart,
  type RefusalPart,
  type TextPart,
  type TokenLogprob,
  type ToolCallPart,
  type ToolChoice,
  type ToolResultPart,
  type ToolSpec,
} from "./model-call.js";
export { type FinishReason, type ModelEvent } from "./model-event.js";
export {
  type EmbedAnswer,
  type EmbedCall,
  type ImageAnswer,
  type ImageCall,
  type MediaBytes,
  type ModerateAnswer,
  type ModerateCall,
  type OperationName,
  type Operations,
  type SpeechAnswer,
  type SpeechCall,
  type TokenCount,
  type TranscribeAnswer,
  type TranscribeCall,
  type VideoCall,
  type VideoJob,
} from "./operations.js";
export { type Extras, type ProtocolId } from "./protocol.js";
export { isTerminal, type RunEvent, type RunStatus, type StoredRunEvent } from "./run-event.js";
export { toolResultText, type ToolDefinition, type ToolEvent, type ToolResult } from "./tool-event.js";
export { addUsage, tokenCounts, type Usage } from "./usage.js";
export type { ExplainedTarget, ExplainOptions, RouteExplanation } from "./route-explanation.js";
