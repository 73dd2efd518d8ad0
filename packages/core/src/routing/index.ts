export { readRoutes } from "./routes/read-routes.js";
export { Routes, type RouteChange, type RouteView } from "./routes/routes.js";
export { RoutingModelCaller, type RoutingOptions } from "./model-caller.js";
export { CallerAsker, type CallerAskerOptions } from "./operations/caller-asker.js";
export { StoredObjects, type StoredObjectsOptions } from "./objects/stored-objects.js";
export { StoredResponses, type StoredResponsesOptions } from "./stored-responses/stored-responses.js";
export { modelActions, providerActions, providerKeyActions } from "./stored-providers/stored-provider-checks.js";
