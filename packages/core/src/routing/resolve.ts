import { isGranted } from "../access/grants.js";
import type { Caller } from "../calls/index.js";
import type { Config } from "../config/schema.js";
import { GatewayError } from "../errors/index.js";
import type { Model, Provider, Providers } from "../providers/index.js";
import { nearest } from "../util/nearest.js";

/** A model of a provider, listed or not. */
export interface Target {
  readonly provider: Provider;
  /** The vendor's id of the model. */
  readonly code: string;
  /** `provider/code`. */
  readonly id: string;
  /** null: nobody listed it; it is forwarded, unpriced. */
  readonly model: Model | null;
}
export interface WeightedTarget extends Target {
  readonly weight: number;
}

/** What a name means. */
export interface Resolution {
  /** The name in full, `provider/code` or `route/name`: what grants and ledgers go by, however the caller wrote it. */
  readonly name: string;
  readonly strategy: Config["routes"][string]["strategy"];
  /** At least one. */
  readonly targets: readonly WeightedTarget[];
}

export interface Names {
  readonly providers: Providers;
  readonly routes: Config["routes"];
  /** Hints name only models that this caller may call. */
  readonly caller: Caller;
}

const ROUTE = "route/";
/** No vendor's id is longer, and the ledgers keep no more. */
const MAX_CODE_LENGTH = 200;

/**
 * What a model's name means: `route/name`; `provider/model`, whose first segment is a provider and all else the vendor's id, slashes included; or the
 * id of a listed model that exactly one provider has.
 * Errors: `model_not_found` with the nearest names, or all that were meant when there are several; `misconfigured` for a route whose target does not exist.
 */
export function resolve(name: string, names: Names): Resolution {
  if (name.startsWith(ROUTE)) return resolveRoute(name, names);
  const target = targetOf(name, names.providers);
  if (target === null) throw notFound(name, names);
  return { name: target.id, strategy: "fallback", targets: [{ ...target, weight: 1 }] };
}

function resolveRoute(name: string, names: Names): Resolution {
  const route = name.slice(ROUTE.length);
  if (!Object.hasOwn(names.routes, route)) throw notFound(name, names);
  const { strategy, targets } = names.routes[route]!;
  return {
    name,
    strategy,
    targets: targets.map(({ model, weight }) => {
      const target = targetOf(model, names.providers);
      if (target !== null) return { ...target, weight: weight ?? 1 };
      throw new GatewayError("misconfigured", `The route "${route}" names the model "${model}", which no provider owns.`, {
        hint: `Correct routes.${route}.targets: write provider/model with a provider of this gateway.`,
        details: { route, model },
      });
    }),
  };
}

/** null: no provider, or more than one, owns the name. */
function targetOf(name: string, providers: Providers): Target | null {
  const slash = name.indexOf("/");
  const provider = slash <= 0 ? null : providers.get(name.slice(0, slash));
  if (provider !== null && slash < name.length - 1) {
    const code = name.slice(slash + 1);
    if (code.length > MAX_CODE_LENGTH) return null;
    return { provider, code, id: name, model: provider.model(code) };
  }
  const owned = providers.models.withCode(name);
  if (owned.length !== 1) return null;
  const model = owned[0]!;
  return { provider: providers.get(model.provider)!, code: model.code, id: model.id, model };
}

function notFound(name: string, names: Names): GatewayError {
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  const granted = (id: string): boolean => isGranted(names.caller.grants, "models", id);
  const several = names.providers.models.withCode(name).map((model) => model.id);
  const allowed = several.filter(granted);
  if (allowed.length > 1)
    return new GatewayError("model_not_found", `The name "${shown}" could mean several models.`, {
      hint: `Name the provider: ${allowed.join(" or ")}.`,
      details: { model: shown, candidates: allowed },
    });
  const candidates = nearestNames(name, names, granted);
  return new GatewayError("model_not_found", `There is no model "${shown}".`, {
    hint:
      candidates.length > 0
        ? `Did you mean ${candidates.join(" or ")}?`
        : "Names are provider/model, such as demo/echo. GET /v1/models lists those that this key may call.",
    details: { model: shown, candidates },
  });
}

/** At most three: the nearest full name, the nearest code within any provider, the nearest route. */
function nearestNames(name: string, names: Names, granted: (id: string) => boolean): string[] {
  const models = names.providers.models.list().filter((model) => granted(model.id));
  const routes = Object.keys(names.routes)
    .map((route) => ROUTE + route)
    .filter(granted);
  const byId = nearest(name, [...models.map((model) => model.id), ...routes]);
  const code = nearest(
    name,
    models.map((model) => model.code),
  );
  const byCode = models.filter((model) => model.code === code).map((model) => model.id);
  return [...new Set([...(byId === null ? [] : [byId]), ...byCode])].slice(0, 3);
}
