import type { GatewayEvents, Services } from "../../seams/index.js";
import type { Gauge } from "./prometheus.js";

export interface GaugeSources {
  readonly services: Services;
  /** Ledger entries that wait to be written. */
  readonly ledgerQueue: () => number;
  /** Breakers of targets that are not closed, or have failures. */
  readonly breakers: () => readonly { readonly target: string; readonly state: string }[];
  readonly underWay: () => number;
  /** Processes that are known to live. */
  readonly nodes: () => number;
}

/** Events that are counted, by the field that tells them apart; each has few values. */
const counted = {
  "run.changed": (e: Parameters<GatewayEvents["run.changed"]>[0]) => e.status,
  "task.changed": (e: Parameters<GatewayEvents["task.changed"]>[0]) => e.status,
  "server.changed": (e: Parameters<GatewayEvents["server.changed"]>[0]) => (e.connected ? "connected" : "disconnected"),
  "cache.used": (e: Parameters<GatewayEvents["cache.used"]>[0]) => e.result,
  "resource.cached": (e: Parameters<GatewayEvents["resource.cached"]>[0]) => e.result,
  "guardrail.detected": (e: Parameters<GatewayEvents["guardrail.detected"]>[0]) => e.action,
  "approval.decided": (e: Parameters<GatewayEvents["approval.decided"]>[0]) => e.status,
  "internal.error": () => "",
  "budget.exceeded": () => "",
  "budget.threshold": () => "",
} as const;

const helps: Readonly<Record<keyof typeof counted, string>> = {
  "run.changed": "Changes of runs, by the new status.",
  "task.changed": "Changes of tasks, by the new status.",
  "server.changed": "MCP servers that connected or went.",
  "cache.used": "Calls of routes with a response cache, by what it did.",
  "resource.cached": "Resources of MCP servers that were kept, and served from what was kept.",
  "guardrail.detected": "What guardrails found, by what was done about it.",
  "approval.decided": "Approvals that were decided, by how.",
  "internal.error": "Faults of the gateway's own, of listeners and of background work.",
  "budget.exceeded": "Budgets that ran out.",
  "budget.threshold": "Thresholds of budgets that were passed.",
};

/** What is not counted call by call: states that are read when somebody asks, and events. Gives the end of listening too. */
export function gauges(o: GaugeSources): { readonly gauges: readonly Gauge[]; readonly stop: () => void } {
  const { seams, events, log } = o.services;
  const stops: (() => void)[] = [];
  const ofEvents = (Object.keys(counted) as (keyof typeof counted)[]).map((name): Gauge => {
    const counts = new Map<string, number>();
    const keyOf = counted[name] as (e: unknown) => string;
    stops.push(
      events.on(name, ((e: unknown) => {
        const key = keyOf(e);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }) as never),
    );
    return {
      name: `sallyport_${name.replace(".", "_")}_total`,
      help: helps[name],
      type: "counter",
      samples: () => [...counts].map(([status, value]) => ({ labels: status === "" ? {} : { status }, value })),
    };
  });
  const gauge = (name: string, help: string, samples: Gauge["samples"]): Gauge => ({ name, help, type: "gauge", samples });
  const servers = () => seams.tools.get().status();
  const { shared } = o.services;
  const ofShared = (): Gauge[] =>
    shared === undefined
      ? []
      : [
          gauge("sallyport_redis_up", "Whether Redis answers (1) or is done without (0).", () => [
            { labels: {}, value: shared.away === null ? 1 : 0 },
          ]),
        ];
  return {
    gauges: [
      ...ofEvents,
      ...ofShared(),
      gauge("sallyport_calls_under_way", "Calls that have begun and are not over.", () => [{ labels: {}, value: o.underWay() }]),
      gauge("sallyport_mcp_servers", "MCP servers, configured and connected.", () => [
        { labels: { state: "configured" }, value: servers().servers },
        { labels: { state: "connected" }, value: servers().connected },
      ]),
      gauge("sallyport_mcp_tools", "Tools in the catalogue.", () => [{ labels: {}, value: servers().tools }]),
      gauge("sallyport_nodes", "Processes of this gateway that are known to live.", () => [{ labels: {}, value: o.nodes() }]),
      gauge("sallyport_ledger_queue", "Ledger entries that wait to be written.", () => [{ labels: {}, value: o.ledgerQueue() }]),
      gauge("sallyport_breaker_open", "Targets whose breaker is open (1) or half open (0.5).", () =>
        o.breakers().map(({ target, state }) => ({ labels: { target }, value: state === "open" ? 1 : state === "half-open" ? 0.5 : 0 })),
      ),
      {
        name: "sallyport_log_lines_dropped_total",
        help: "Lines of the log that could not be written.",
        type: "counter",
        samples: () => [{ labels: {}, value: log.dropped }],
      },
    ],
    stop: () => stops.forEach((stop) => stop()),
  };
}
