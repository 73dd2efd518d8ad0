export { NodeRegistry, type NodeRegistryOptions, type NodeView } from "./node-registry.js";
export { Nodes } from "./nodes.js";
