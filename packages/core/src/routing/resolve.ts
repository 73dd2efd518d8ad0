import { mayDo } from "../access/grants.js";
import type { Caller } from "../calls/index.js";
import type { RouteRules } from "../entities/index.js";
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
  /** What policy knows it by beside (`ModelHead.names`); undefined: nothing. */
  readonly names: readonly string[] | undefined;
  /** At least one, as written. */
  readonly targets: readonly WeightedTarget[];
  /** null: the name is a model's own. */
  readonly route: ResolvedRoute | null;
}
/** A route whose every model was found. */
export interface ResolvedRoute {
  readonly rules: RouteRules;
  readonly contextOverflow: Target | null;
  readonly canary: Target | null;
  readonly shadow: Target | null;
  /** Targets that are passed over because their vendors took them away. */
  readonly retired: readonly Target[];
}

export interface Names {
  readonly providers: Providers;
  readonly routes: ReadonlyMap<string, RouteRules>;
  /** Hints name only models that this caller may call. */
  readonly caller: Caller;
}

const ROUTE = "route/";
/** No vendor's id is longer, and the ledgers keep no more. */
const MAX_CODE_LENGTH = 200;

/**
 * What a model's name means: `route/name`; `provider/model`, whose first segment is a provider and all else the vendor's id, slashes included; or the
 * id of a listed model that exactly one provider has.
 * Errors: `model_not_found` with the nearest names, all that were meant when there are several, or the successor of a model that its vendor retired; `misconfigured` for a
 * route whose target does not exist.
 */
export function resolve(name: string, names: Names): Resolution {
  if (name.startsWith(ROUTE)) return resolveRoute(name, names);
  const target = targetOf(name, names.providers);
  if (target === null) throw notFound(name, names);
  if (isRetired(target, names.providers)) throw retired(target, names);
  return { name: target.id, names: target.model?.names ?? undefined, targets: [target], route: null };
}

function resolveRoute(name: string, names: Names): Resolution {
  const rules = names.routes.get(name.slice(ROUTE.length));
  if (rules === undefined) throw notFound(name, names);
  return { name, ...resolveRules(name.slice(ROUTE.length), rules, names.providers) };
}

/** The targets of a route that is not named yet. Errors: `misconfigured`, naming the model that no provider owns and where it stands. */
export function resolveRules(
  route: string,
  rules: RouteRules,
  providers: Providers,
): Omit<Resolution, "name"> & { readonly route: ResolvedRoute } {
  let names: string[] | undefined;
  const find = (model: string, where: string): Target => {
    const target = targetOf(model, providers);
    if (target !== null) {
      const own = target.model?.names ?? null;
      if (own !== null) (names ??= []).push(...own);
      else if (target.id !== model) (names ??= []).push(target.id);
      return target;
    }
    throw new GatewayError("misconfigured", `The route "${route}" names the model "${model}", which no provider owns.`, {
      hint: `Correct routes.${route}.${where}: write provider/model with a provider of this gateway.`,
      details: { route, model },
    });
  };
  const { contextOverflow, canary, shadow } = rules;
  const targets = rules.targets.map(({ model, weight }) => ({ ...find(model, "targets"), weight: weight ?? 1 }));
  // What a vendor took away is passed over as long as something else is named: its vendor's 404 would end the call.
  const retired = targets.filter((target) => isRetired(target, providers));
  const isPassing = retired.length > 0 && retired.length < targets.length;
  const meant = {
    targets: isPassing ? targets.filter((target) => !retired.includes(target)) : targets,
    route: {
      rules,
      contextOverflow: contextOverflow === undefined ? null : find(contextOverflow, "contextOverflow"),
      canary: canary === undefined ? null : find(canary.model, "canary"),
      shadow: shadow === undefined ? null : find(shadow.model, "shadow"),
      retired: isPassing ? retired : [],
    },
  };
  return { ...meant, names };
}

/** With the weight of one. null: no provider, or more than one, owns the name. */
function targetOf(name: string, providers: Providers): WeightedTarget | null {
  const slash = name.indexOf("/");
  const provider = slash <= 0 ? null : providers.get(name.slice(0, slash));
  if (provider !== null && slash < name.length - 1) {
    const code = name.slice(slash + 1);
    if (code.length > MAX_CODE_LENGTH) return null;
    return { provider, code, id: name, model: provider.model(code), weight: 1 };
  }
  const owned = providers.models.withCode(name);
  if (owned.length !== 1) return null;
  const model = owned[0]!;
  // A call goes out under the name that the caller used: the vendor knows its aliases.
  return { provider: providers.get(model.provider)!, code: name, id: `${model.provider}/${name}`, model, weight: 1 };
}

function isRetired({ model }: Target, providers: Providers): boolean {
  return model !== null && model.retiresAtMs !== null && providers.models.isRetired(model);
}

/** Told to whoever may call it; to others it is a model like any that they may not call. */
function retired(target: Target, names: Names): GatewayError {
  const model = target.model!;
  const successor = model.successor === null ? null : `${model.provider}/${model.successor}`;
  const day = new Date(model.retiresAtMs!).toISOString().slice(0, 10);
  const hint =
    successor !== null && mayDo(names.caller, "models", successor)
      ? `Its successor is ${successor}.`
      : `GET /v1/models lists those that this key may call. If your account is still served, list it under providers.${model.provider}.models with "retiresAt": null.`;
  return new GatewayError("model_not_found", `The model "${target.id}" was retired by its vendor on ${day}.`, {
    hint,
    details: { model: target.id, retired_at: day, ...(successor === null ? {} : { successor }) },
  });
}

function notFound(name: string, names: Names): GatewayError {
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  const granted = (id: string): boolean => mayDo(names.caller, "models", id);
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
  const routes = [...names.routes.keys()].map((route) => ROUTE + route).filter(granted);
  const byId = nearest(name, [...models.map((model) => model.id), ...routes]);
  const code = nearest(
    name,
    models.map((model) => model.code),
  );
  const byCode = models.filter((model) => model.code === code).map((model) => model.id);
  return [...new Set([...(byId === null ? [] : [byId]), ...byCode])].slice(0, 3);
}
