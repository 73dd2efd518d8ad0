import { GatewayError } from "../errors/index.js";
import type { Secret } from "../util/secret.js";
import type { Conversations } from "./conversations.js";
import type { Enrichments } from "./mcp/enrichments.js";
import type { InboxKeeper } from "./inbox.js";
import type { McpServers } from "./mcp/mcp-servers.js";
import type { ModelCaller } from "./model-caller.js";
import { ResourceActionsTable } from "./resource-actions.js";
import type { Responses } from "./responses.js";
import type { RunStarter } from "./run-starter.js";
import type { Safety } from "./safety.js";
import type { Telemetry } from "./telemetry.js";
import type { ToolCaller } from "./mcp/tool-caller.js";
import type { ToolPins } from "./mcp/tool-pins.js";
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

/** Where a sealed value stands: it opens nowhere else. */
export interface SealedPlace {
  /** The entity's. */
  readonly table: string;
  /** The field's name. */
  readonly column: string;
  readonly rowId: string;
  /** It is content that only some may read, and no secret that has to be taken out of texts. */
  readonly isContent?: true;
}

/** How secrets get into rows and out of them again; filled by `secrets` when the gateway has started. Synchronous: about 10 µs each. */
export interface Vault {
  /** The value as the row keeps it: AES-256-GCM under the newest data key, bound to its place. */
  seal(value: Secret | string, place: SealedPlace): string;
  /** Errors: `state_corrupt` when it was sealed for another place, changed, or sealed with a key that is gone. */
  open(sealed: string, place: SealedPlace): Secret;
}

/** The seams of one gateway. */
export interface Seams {
  readonly models: Seam<ModelCaller>;
  readonly tools: Seam<ToolCaller>;
  readonly mcpServers: Seam<McpServers>;
  readonly toolPins: Seam<ToolPins>;
  readonly enrichments: Seam<Enrichments>;
  readonly runs: Seam<RunStarter>;
  readonly responses: Seam<Responses>;
  readonly objects: Seam<VendorObjects>;
  readonly conversations: Seam<Conversations>;
  readonly inbox: Seam<InboxKeeper>;
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
    mcpServers: new Seam("mcpServers"),
    toolPins: new Seam("toolPins"),
    enrichments: new Seam("enrichments"),
    runs: new Seam("runs"),
    responses: new Seam("responses"),
    objects: new Seam("objects"),
    conversations: new Seam("conversations"),
    inbox: new Seam("inbox"),
    vault: new Seam("vault"),
    safety: new Seam("safety"),
    telemetry: new Seam("telemetry"),
    resources: new ResourceActionsTable(),
  };
}
