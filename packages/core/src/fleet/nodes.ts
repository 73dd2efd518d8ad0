import type { NodeRegistry, NodeView } from "./node-registry.js";

/** The processes that share this gateway's store. */
export class Nodes {
  readonly #registry: NodeRegistry;
  readonly #ready: () => Promise<void>;

  constructor(registry: NodeRegistry, ready: () => Promise<void>) {
    this.#registry = registry;
    this.#ready = ready;
  }

  /** Every node, the oldest first; those that went are shown for an hour. Errors: those of the store. */
  async list(): Promise<readonly NodeView[]> {
    await this.#ready();
    return this.#registry.list();
  }
}
