export { GatewayError, type ErrorCode } from "../errors/index.js";
export type { ChatClient } from "./chat-client.js";
export { createClient, type Client, type RunsClient } from "./create-client.js";
export {
  type BulkItem,
  type BulkResult,
  type ChangeOptions,
  type CreateOptions,
  type ListOptions,
  type Page,
  type ResourceClient,
} from "./resource-client.js";
export type { KeptView, ResourceShape, ResourceShapes } from "./resource-rows.js";
export type { EventsOptions } from "./run-events.js";
export type {
  AppendOptions as SessionAppendOptions,
  BranchOptions as SessionBranchOptions,
  MessagesOptions as SessionMessagesOptions,
  SessionMessage,
  SessionMessagePage,
  SessionsClient,
} from "./sessions-client.js";
export type { Asked, CallOptions, ClientOptions } from "./transport.js";
