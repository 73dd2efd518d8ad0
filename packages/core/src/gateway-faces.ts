import { AccessTokens, Identity } from "./access/index.js";
import type { Caller } from "./calls/index.js";
import { CHANGES_TOPIC } from "./config/snapshot-holder.js";
import type { RuntimeConfiguration } from "./config/runtime/index.js";
import type { Foundation } from "./gateway-foundation.js";
import type { GatewayOptions } from "./gateway-options.js";
import { Edge } from "./http/index.js";
import type { McpProxy } from "./mcp/index.js";
import { toView } from "./routes/index.js";
import type { Sessions } from "./sessions/index.js";
import { VERSION } from "./util/version.js";

export interface FacesOptions {
  readonly options: GatewayOptions;
  readonly mcp: McpProxy;
  readonly counters: ConstructorParameters<typeof Edge>[1]["counters"];
  readonly configuration: RuntimeConfiguration;
  readonly sessions: (caller: Caller) => Sessions;
  readonly owner: Caller;
  readonly ready: () => Promise<void>;
}

/** Who callers are, and where they come in. */
export function facesOf(base: Foundation, o: FacesOptions): { readonly identity: Identity; readonly edge: Edge } {
  const { services, config, snapshots, http, keys } = base;
  const { auth, keyVerifiers: verifiers } = o.options;
  const { publicUrl, oidc } = config.access;
  const snapshot = () => snapshots.current();
  const refresh = () => snapshots.refresh();
  const { resourceServer } = config.access;
  const tokens =
    resourceServer === undefined || publicUrl === undefined || auth !== undefined
      ? undefined
      : new AccessTokens({ ...services, config: resourceServer, publicUrl, http });
  const identity = new Identity(services, {
    tokens,
    ...{ keys, snapshot, http, oidc, publicUrl, auth, verifiers, owner: o.owner, view: toView, ready: o.ready },
    changed: async (id) => void (await Promise.all([services.bus.publish(CHANGES_TOPIC, [id]), refresh()])),
  });
  snapshots.onSwap(() => {
    identity.swapped();
    o.mcp.endWaiting((credentialId) => identity.isStanding(credentialId));
  });
  const edge = new Edge(services, {
    ...{
      access: identity.access,
      identity,
      snapshot,
      mcp: o.mcp,
      oauth: o.mcp.oauth,
      tokens,
      version: VERSION,
      counters: o.counters,
      refresh,
      configuration: o.configuration,
      sessions: o.sessions,
    },
    metricsOpen: config.telemetry.metrics.open,
  });
  return { identity, edge };
}
