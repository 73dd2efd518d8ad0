import { allEntities } from "../entities/index.js";
import { alertRoutes } from "./admin/alerts.js";
import { auditRoutes } from "./admin/audit.js";
import { metricsRoutes, traceRoutes } from "./admin/traces.js";
import { costRoutes, usageRoutes } from "./admin/usage.js";
import { configRoutes } from "./admin/config.js";
import { guardrailRoutes } from "./admin/guardrails.js";
import { safetyRoutes } from "./admin/safety.js";
import { keyRoutes, ownRoutes, signInRoutes } from "./admin/access.js";
import { anthropicRoutes } from "./anthropic.js";
import { googleRoutes } from "./google.js";
import { inboxRoutes } from "./inbox.js";
import { mcpRoutes } from "./mcp.js";
import { connectionRoutes } from "./mcp/connections.js";
import { enrichmentRoutes } from "./mcp/enrichment.js";
import { explainRoutes } from "./mcp/explain.js";
import { oauthPageRoutes, oauthRoutes } from "./mcp/oauth.js";
import { pinRoutes } from "./mcp/pins.js";
import { resourceMetadataRoutes } from "./mcp/resource-metadata.js";
import { mcpProxyRoutes, mcpRestRoutes } from "./mcp/rest.js";
import { batchRoutes, fileRoutes, googleOperationRoutes, messageBatchRoutes, oneCallRoutes, videoRoutes } from "./media.js";
import { modelRoutes, openaiRoutes, responsesRoutes } from "./openai.js";
import { docRoutes, openApiDocument, type JsonObject } from "./openapi/index.js";
import { deriveResources, namedSchemas, unknownTypeRoutes } from "./resources/index.js";
import type { Route } from "./route.js";
import { runRoutes } from "./runs.js";
import { chatRoutes } from "./sessions/chat-route.js";
import { sessionRoutes } from "./sessions/session-routes.js";
import { systemRoutes } from "./system.js";

export { alertRoutes } from "./admin/alerts.js";
export { auditRoutes } from "./admin/audit.js";
export { metricsRoutes, traceRoutes } from "./admin/traces.js";
export { costRoutes, usageRoutes } from "./admin/usage.js";
export { configRoutes } from "./admin/config.js";
export { guardrailRoutes } from "./admin/guardrails.js";
export { safetyRoutes } from "./admin/safety.js";
export { keyRoutes, ownRoutes, signInRoutes } from "./admin/access.js";
export { creationHeaders } from "./creation-headers.js";
export { anthropicRoutes } from "./anthropic.js";
export { googleRoutes } from "./google.js";
export { inboxRoutes } from "./inbox.js";
export { mcpRoutes } from "./mcp.js";
export { connectionRoutes, type ConnectionConfig } from "./mcp/connections.js";
export { enrichmentRoutes } from "./mcp/enrichment.js";
export { explainRoutes } from "./mcp/explain.js";
export { oauthPageRoutes, oauthRoutes } from "./mcp/oauth.js";
export { pinRoutes } from "./mcp/pins.js";
export { resourceMetadataRoutes } from "./mcp/resource-metadata.js";
export { mcpProxyRoutes, mcpRestRoutes } from "./mcp/rest.js";
export { batchRoutes, fileRoutes, googleOperationRoutes, messageBatchRoutes, oneCallRoutes, videoRoutes } from "./media.js";
export { modelRoutes, openaiRoutes, responsesRoutes } from "./openai.js";
export { fromMessage, messageSchema, toMessage, type RestMessage } from "./messages.js";
export { docRoutes, tagOf, type JsonObject } from "./openapi/index.js";
export {
  errorsOfEveryRoute,
  type DialectRoute,
  type InputOf,
  type McpRoute,
  type Method,
  type Permission,
  type RestRoute,
  type Route,
  type RouteAnswer,
  type RouteCall,
  type RouteInput,
  type RouteOutput,
} from "./route.js";
export {
  createdFields,
  fieldsOf,
  ownInputs,
  patchedFields,
  replacedFields,
  snakeCase,
  filterFields,
  sortFields,
  originOf,
  toView,
  unknownTypeRoutes,
  viewSchema,
  type NamedField,
  type OnWire,
  type Snake,
  type Resource,
  type ResourceRoute,
  type Row,
  type View,
} from "./resources/index.js";
export { toRunEventView, toRunSummaryView, toRunView, toUsageView, type RunEventView } from "./run-view.js";
export { runRoutes } from "./runs.js";
export { chatRoutes } from "./sessions/chat-route.js";
export { sessionRoutes } from "./sessions/session-routes.js";
export { systemRoutes } from "./system.js";
export { validate, validateText, type Part } from "./validate.js";

/** What is written by hand, because it could not be derived. */
const byHand: readonly Route[] = [
  ...Object.values(signInRoutes),
  ...Object.values(ownRoutes),
  ...Object.values(keyRoutes),
  ...Object.values(systemRoutes),
  ...Object.values(docRoutes),
  ...Object.values(openaiRoutes),
  ...Object.values(modelRoutes),
  ...Object.values(responsesRoutes),
  ...Object.values(oneCallRoutes),
  ...Object.values(videoRoutes),
  ...Object.values(fileRoutes),
  ...Object.values(batchRoutes),
  ...Object.values(messageBatchRoutes),
  ...Object.values(googleOperationRoutes),
  ...Object.values(anthropicRoutes),
  ...Object.values(googleRoutes),
  ...Object.values(mcpRoutes),
  ...Object.values(connectionRoutes),
  ...Object.values(enrichmentRoutes),
  ...Object.values(explainRoutes),
  ...Object.values(pinRoutes),
  ...Object.values(mcpRestRoutes),
  ...Object.values(oauthRoutes),
  ...Object.values(oauthPageRoutes),
  ...Object.values(resourceMetadataRoutes),
  ...Object.values(mcpProxyRoutes),
  ...Object.values(runRoutes),
  ...Object.values(sessionRoutes),
  ...Object.values(chatRoutes),
  ...Object.values(inboxRoutes),
  ...Object.values(auditRoutes),
  ...Object.values(traceRoutes),
  ...Object.values(metricsRoutes),
  ...Object.values(alertRoutes),
  ...Object.values(configRoutes),
  ...Object.values(guardrailRoutes),
  ...Object.values(safetyRoutes),
  ...Object.values(usageRoutes),
  ...Object.values(costRoutes),
];

/** What the entities' declarations derive: an entity that says `rest` is here without being listed anywhere else. */
export const resources = deriveResources(allEntities, byHand);

/** Every route that this gateway answers. What is not here is 404. */
export const allRoutes: readonly Route[] = [
  ...byHand,
  ...resources.flatMap(({ routes }) => routes.map(({ route }) => route)),
  ...Object.values(unknownTypeRoutes),
];

/** All of them as an OpenAPI 3.1 document; `serverUrl` is where the gateway is mounted, `/` at the root. Deterministic. */
export function openApi(serverUrl: string): JsonObject {
  return openApiDocument({ routes: allRoutes, named: namedSchemas(resources), serverUrl });
}
