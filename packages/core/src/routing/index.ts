export { RoutingModelCaller, type RoutingOptions } from "./model-caller.js";
