export { RoutingModelCaller, type RoutingOptions } from "./model-caller.js";
export { StoredResponses, type StoredResponsesOptions } from "./stored-responses/stored-responses.js";
