export { argumentRule, argumentRuleSchema, type ArgumentRuleConfig, type ArgumentRuleRow } from "./rules/argument-rule.js";
export { enrichmentRule, enrichmentSchema, type EnrichmentRule, type EnrichmentRuleRow } from "./rules/enrichment-rule.js";
export { mcpNews, type McpNewsRow } from "./mcp-news.js";
export { mcpServer, openApiSettings, serverAuthModes, serverOAuth, serverTypes, type McpServerRow, type ServerType } from "./mcp-server.js";
export { serverResilienceSchema, type ServerResilience, type ServerResilienceInput } from "./rules/server-resilience.js";
export { mcpSession, type McpSessionRow } from "./mcp-session.js";
export { oauthClient, type OAuthClientRow } from "./oauth-client.js";
export { oauthState, type OAuthStateRow } from "./oauth-state.js";
export { oauthToken, type OAuthTokenRow } from "./oauth-token.js";
export { parkedCall, usedRequestState, type ParkedCallRow, type UsedRequestStateRow } from "./parked-call.js";
export { mcpTool, type McpToolRow } from "./mcp-tool.js";
export { namespace, namespaceSchema, namespaceShape, type NamespaceRow, type NamespaceRules } from "./namespace.js";
export {
  pinMode,
  toolFilterSchema,
  toolShapeSchema,
  type ArgumentOverride,
  type PinMode,
  type ToolFilter,
  type ToolOverride,
  type ToolShapeRules,
} from "./tool-shape.js";
export { pinStatus, pinStatuses, toolDefinition, toolPin, type PinStatus, type ToolDefinitionRow, type ToolPinRow } from "./tool-pin.js";
export { toolResult, toolResultPart, type ToolResultPartRow, type ToolResultRow } from "./tool-result.js";
