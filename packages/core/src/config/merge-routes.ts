import { routeSchema, type RouteRow, type RouteRules } from "../entities/index.js";
import type { Config } from "./schema.js";

/** The routes that hold: those of the configuration, and the stored ones whose name it does not use. `onInvalid` hears the name of a row that is no valid route. */
export function mergeRoutes(
  config: Pick<Config, "routes">,
  rows: readonly RouteRow[],
  onInvalid: (name: string) => void = () => undefined,
): ReadonlyMap<string, RouteRules> {
  const routes = new Map<string, RouteRules>();
  for (const row of rows) {
    const rules = routeSchema.safeParse(rulesOf(row));
    if (rules.success) routes.set(row.name, rules.data);
    else onInvalid(row.name);
  }
  for (const [name, rules] of Object.entries(config.routes)) routes.set(name, rules);
  return routes;
}

/** A row as somebody would write it: what is null was left out. */
export function rulesOf(row: RouteRow): RouteRules {
  const { strategy, targets, sticky, timeouts, retries, fallbackOn, contextOverflow, hedgeAfterMs, canary, shadow, cache } = row;
  return {
    ...{ strategy, targets, sticky, timeouts, retries, fallbackOn },
    ...(contextOverflow === null ? {} : { contextOverflow }),
    ...(hedgeAfterMs === null ? {} : { hedge: { afterMs: hedgeAfterMs } }),
    ...(canary === null ? {} : { canary }),
    ...(shadow === null ? {} : { shadow }),
    ...(cache === null ? {} : { cache }),
  };
}
