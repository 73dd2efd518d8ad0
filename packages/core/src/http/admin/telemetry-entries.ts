import { alertRoutes, auditRoutes, metricsRoutes, traceRoutes, type Route } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import type { Entry, Handler } from "../exchange.js";
import { alertHandlers } from "./alert-handlers.js";
import { auditHandlers } from "./audit-handlers.js";
import { metricsHandler, traceHandlers } from "./trace-handlers.js";

/** What telemetry shows. `metricsOpen`: the counts are shown to everybody. */
export function telemetryEntries(services: Services, o: { readonly metricsOpen: boolean }): readonly Entry[] {
  const closed = <K extends string>(routes: Readonly<Record<K, Route>>, handlers: Readonly<Record<K, Handler>>): Entry[] =>
    (Object.entries(routes) as [K, Route][]).map(([name, route]) => ({ kind: "closed", route, handler: handlers[name] }));
  const route = metricsRoutes.prometheus;
  const handler = metricsHandler(services);
  return [
    ...closed(auditRoutes, auditHandlers(services)),
    ...closed(traceRoutes, traceHandlers(services)),
    ...closed(alertRoutes, ofAll(alertRoutes, alertHandlers(services), services)),
    o.metricsOpen
      ? { kind: "open", route: { ...route, open: true, permission: null }, handler }
      : closed(metricsRoutes, ofAll(metricsRoutes, { prometheus: handler }, services))[0]!,
  ];
}

/** Handlers of what counts every project: asked for only by who holds the permission in all of them (T04). */
function ofAll<K extends string>(
  routes: Readonly<Record<K, Route>>,
  handlers: Readonly<Record<K, Handler>>,
  { seams }: Services,
): Readonly<Record<K, Handler>> {
  const entries = Object.entries<Handler>(handlers).map(([name, handler]) => {
    const { what, name: verb } = routes[name as K].permission!;
    const checked: Handler = (x) => {
      seams.resources.assertEverywhere(x.caller, `${what}:${verb}`);
      return handler(x);
    };
    return [name, checked];
  });
  return Object.fromEntries(entries) as Record<K, Handler>;
}
