import { GatewayError } from "../errors/index.js";
import type { Inbox } from "./inbox.js";
import type { ModelCaller } from "./model-caller.js";
import { ResourceActionsTable } from "./resource-actions.js";
import type { Responses } from "./responses.js";
import type { RunStarter } from "./run-starter.js";
import type { Safety } from "./safety.js";
import type { Telemetry } from "./telemetry.js";
import type { ToolCaller } from "./tool-caller.js";
import type { Vault } from "./vault.js";
import type { VendorObjects } from "./vendor-objects.js";

/**
 * A place where one domain calls another without importing it. `gateway.ts` fills it once.
 * Errors: `misconfigured` when it is read before it was filled, or filled twice.
 */
export class Seam<T> {
  #value: T | undefined;
  constructor(readonly name: string) {}

  fill(value: T): void {
    if (this.#value !== undefined) throw new GatewayError("misconfigured", `The seam "${this.name}" was filled twice.`);
    this.#value = value;
  }
  get(): T {
    if (this.#value === undefined)
      throw new GatewayError("misconfigured", `The seam "${this.name}" was called before the gateway filled it.`);
    return this.#value;
  }
}

/** The seams of one gateway. */
export interface Seams {
  readonly models: Seam<ModelCaller>;
  readonly tools: Seam<ToolCaller>;
  readonly runs: Seam<RunStarter>;
  readonly responses: Seam<Responses>;
  readonly objects: Seam<VendorObjects>;
  readonly inbox: Seam<Inbox>;
  readonly vault: Seam<Vault>;
  readonly safety: Seam<Safety>;
  readonly telemetry: Seam<Telemetry>;
  /** What domains do themselves of the resource API. */
  readonly resources: ResourceActionsTable;
}
export function createSeams(): Seams {
  return {
    models: new Seam("models"),
    tools: new Seam("tools"),
    runs: new Seam("runs"),
    responses: new Seam("responses"),
    objects: new Seam("objects"),
    inbox: new Seam("inbox"),
    vault: new Seam("vault"),
    safety: new Seam("safety"),
    telemetry: new Seam("telemetry"),
    resources: new ResourceActionsTable(),
  };
}
