import { GatewayError } from "../../errors/index.js";
import { systemRoutes } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import type { OpenHandler } from "../exchange.js";
import { jsonHandler } from "./rest-face.js";

export interface SystemState {
  readonly version: string;
  readonly startedAtMs: number;
  readonly isDraining: () => boolean;
  readonly counters?: { readonly isAway: boolean } | undefined;
  /** When the store was last read, Unix ms, and how old that may be. */
  readonly freshness: () => { readonly readAtMs: number; readonly maxStaleMs: number };
}

/** What orchestrators ask: open, and without a secret. */
export function systemHandlers(services: Services, state: SystemState): Readonly<Record<keyof typeof systemRoutes, OpenHandler>> {
  return {
    health: jsonHandler(systemRoutes.health, () => {
      const { servers, connected, tools } = services.seams.tools.get().status();
      return {
        status: connected < servers ? ("degraded" as const) : ("ok" as const),
        version: state.version,
        uptime_ms: Math.max(0, services.clock.now() - state.startedAtMs),
        servers: { configured: servers, connected },
        tools,
      };
    }),
    ready: jsonHandler(systemRoutes.ready, () => {
      if (state.isDraining()) throw new GatewayError("shutting_down", "The gateway is closing: send new requests to another one.");
      const { readAtMs, maxStaleMs } = state.freshness();
      if (services.clock.now() - readAtMs > maxStaleMs)
        throw new GatewayError("store_unavailable", "The store has not answered for too long.", { retryAfterMs: 1_000 });
      return {
        status: "ready" as const,
        ...(state.counters?.isAway === true ? { counters: "away" as const } : {}),
        ...(services.shared === undefined || services.shared.away === null ? {} : { redis: "away" as const }),
      };
    }),
  };
}
