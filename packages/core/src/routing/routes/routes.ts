import type { Caller, ExplainOptions, RouteExplanation } from "../../calls/index.js";
import { rulesOf } from "../../config/merge-routes.js";
import type { Config } from "../../config/schema.js";
import { CHANGES_TOPIC } from "../../config/snapshot-holder.js";
import { nameSchema, route, routeSchema, type RouteInput, type RouteRow, type RouteRules } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, remove, update, type Bus, type Clock, type RecordStore, type UnitResult, type Write } from "../../ports/index.js";
import { auditChange } from "../../policy/audit-change.js";
import type { Providers } from "../../providers/index.js";
import type { ResourceActions } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { nearest } from "../../util/nearest.js";
import { resolveRules } from "../resolve.js";

/** What of the services it needs; Services is one. */
export interface RoutesServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly bus: Bus;
}
export interface RoutesOptions {
  readonly config: Pick<Config, "routes">;
  readonly providers: Providers;
  /** Who changes routes through this, for the audit. */
  readonly owner: Caller;
  readonly explain: (name: string, o?: ExplainOptions) => RouteExplanation;
  /** Has this process see what was changed. */
  readonly refresh: () => Promise<void>;
}

/** A route with where it is from. Only those of the database can be changed here. */
export interface RouteView extends RouteRules {
  /** Called as `route/<name>`. */
  readonly name: string;
  readonly origin: "configuration" | "database";
  /** Grows with each change; null: it is of the configuration. */
  readonly version: number | null;
}
/** What of a route is to change; null takes away what may be left out. */
export type RouteChange = { readonly [K in keyof RouteInput]?: RouteInput[K] | null };

const WITHIN_MS = 10_000;
const scope = { system: "routes" };

/**
 * The routes of one gateway: those of the configuration, and those kept in its database, which can be changed while it runs. A change is valid for the next call of this process, and for those of other
 * processes within about a second. Calls under way keep the route that they began with.
 * Errors of every method: those of the store.
 */
export class Routes {
  readonly #services: RoutesServices;
  readonly #o: RoutesOptions;

  constructor(services: RoutesServices, options: RoutesOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** By name. A stored route whose name the configuration uses does not count and is left out. */
  async list(): Promise<readonly RouteView[]> {
    const page = await this.#services.store.find(route, { orderBy: "name", limit: 1_000 }, scope, this.#within());
    const stored = page.rows.filter(({ name }) => !this.#isConfigured(name)).map(viewOf);
    const configured = Object.entries(this.#o.config.routes).map(([name, rules]) => configuredView(name, rules));
    return [...configured, ...stored].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Errors: `not_found`, with the nearest name. */
  async get(name: string): Promise<RouteView> {
    const configured = this.#isConfigured(name) ? this.#o.config.routes[name] : undefined;
    return configured === undefined ? viewOf(await this.#stored(name)) : configuredView(name, configured);
  }

  /** Errors: `validation_failed` naming the field, also for a model that no provider owns; `conflict` when the name is taken. */
  async add(name: string, input: RouteInput): Promise<RouteView> {
    const known = nameSchema.safeParse(name);
    if (!known.success) throw invalid("name", known.error.issues[0]?.message ?? "is not valid");
    if (this.#isConfigured(name)) throw this.#taken(name);
    const rules = this.#checked(name, input);
    const row = { id: newId("route"), name, ...columnsOf(rules) };
    const result = await this.#commit(name, "route.add", insert(route, row));
    if (!result.ok) throw this.#taken(name);
    return { ...rules, name, origin: "database", version: 1 };
  }

  /**
   * Changes the named parts, each replaced whole; the others stay. `ifVersion`: only while nobody else changed it.
   * Errors: `not_found`, `validation_failed`, `conflict` when it was changed meanwhile.
   */
  async update(name: string, change: RouteChange, o: { readonly ifVersion?: number } = {}): Promise<RouteView> {
    const row = await this.#stored(name);
    const wanted: Record<string, unknown> = { ...rulesOf(row) };
    for (const [field, value] of Object.entries(change)) {
      if (value === null) delete wanted[field];
      else if (value !== undefined) wanted[field] = value;
    }
    const rules = this.#checked(name, wanted as RouteInput);
    const write = update(route, row.id, { change: { set: columnsOf(rules) }, ifVersion: o.ifVersion ?? row.version });
    const result = await this.#commit(name, "route.update", write);
    if (!result.ok) throw changed(name, result);
    return { ...rules, name, origin: "database", version: result.versions[0] ?? null };
  }

  /** Errors: `not_found`, `conflict` when it was changed meanwhile. */
  async remove(name: string, o: { readonly ifVersion?: number } = {}): Promise<void> {
    const row = await this.#stored(name);
    const result = await this.#commit(name, "route.remove", remove(route, row.id, o));
    if (!result.ok) throw changed(name, result);
  }

  /** What a call of this route, or of any model's name, would do now in this process, and why. Errors: `model_not_found`, `misconfigured`. */
  explain(name: string, o: ExplainOptions = {}): RouteExplanation {
    return this.#o.explain(name, o);
  }

  /** What the resource API holds stored routes to, and those of the configuration, which it shows beside them. */
  actions(): ResourceActions {
    return {
      check: (row) => {
        const { name, ...stored } = row as unknown as RouteRow;
        if (this.#isConfigured(name)) throw this.#taken(name);
        this.#checked(name, rulesOf({ name, ...stored }));
      },
      fixed: () =>
        Object.entries(this.#o.config.routes).map(([name, rules]) => ({
          id: `configured.${name}`,
          name,
          ...columnsOf(rules),
          origin: "configuration",
        })),
    };
  }

  /** Errors: `not_found`, `validation_failed` for a route of the configuration. */
  async #stored(name: string): Promise<RouteRow> {
    if (this.#isConfigured(name))
      throw new GatewayError("validation_failed", `The route "${name}" is of the configuration, which is not changed here.`, {
        hint: "Change it where it was configured, or add a route under another name.",
        details: { field: "name", name },
      });
    const { rows } = await this.#services.store.find(route, { where: { name }, orderBy: "name", limit: 1 }, scope, this.#within());
    const row = rows[0];
    if (row !== undefined) return row;
    const meant = nearest(
      name,
      (await this.list()).map((known) => known.name),
    );
    throw new GatewayError(
      "not_found",
      `There is no route "${name.slice(0, 80)}".`,
      meant === null ? {} : { hint: `Did you mean ${meant}?` },
    );
  }

  #checked(name: string, input: RouteInput): RouteRules {
    const parsed = routeSchema.safeParse(input);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw invalid(issue.path.join(".") || (issue.code === "unrecognized_keys" ? issue.keys.join(", ") : "route"), issue.message);
    }
    try {
      resolveRules(name, parsed.data, this.#o.providers);
    } catch (error) {
      const known = GatewayError.from(error);
      throw new GatewayError("validation_failed", known.message, {
        ...(known.hint === undefined ? {} : { hint: known.hint }),
        details: known.details ?? {},
      });
    }
    return parsed.data;
  }

  /** The write and its row in the audit, together; then everybody is told. */
  async #commit(name: string, action: string, write: Write): Promise<UnitResult> {
    const { store, bus, clock } = this.#services;
    const { owner } = this.#o;
    const audit = auditChange({ caller: owner, action, target: name, resourceType: "route" }, clock.now());
    const [result] = await store.commit([{ scope, writes: [write, audit] }], this.#within());
    if (result === undefined) throw new GatewayError("internal", "The store answered no result for a unit.");
    if (!result.ok) return result;
    // It is stored: whoever does not hear of it now sees it with the next poll.
    await Promise.all([bus.publish(CHANGES_TOPIC, [name]), this.#o.refresh()]).catch(() => undefined);
    return result;
  }

  #isConfigured(name: string): boolean {
    return Object.hasOwn(this.#o.config.routes, name);
  }
  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
  #taken(name: string): GatewayError {
    return new GatewayError("conflict", `There is already a route "${name}".`, { hint: "Choose another name, or update it." });
  }
}

function viewOf(row: RouteRow): RouteView {
  return { ...rulesOf(row), name: row.name, origin: "database", version: row.version };
}
function configuredView(name: string, rules: RouteRules): RouteView {
  return { ...rules, name, origin: "configuration", version: null };
}

function columnsOf(rules: RouteRules) {
  const { strategy, targets, sticky, timeouts, retries, fallbackOn, contextOverflow, hedge, canary, shadow, cache } = rules;
  return {
    ...{ strategy, targets, sticky, timeouts, retries, fallbackOn },
    contextOverflow: contextOverflow ?? null,
    hedgeAfterMs: hedge?.afterMs ?? null,
    canary: canary ?? null,
    shadow: shadow ?? null,
    cache: cache ?? null,
  };
}

function invalid(field: string, why: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${why}.`, {
    hint: "docs/reference/configuration.md lists what a route has.",
    details: { field },
  });
}

function changed(name: string, { why }: Extract<UnitResult, { ok: false }>): GatewayError {
  return why === "missing"
    ? new GatewayError("not_found", `There is no route "${name}" any more.`)
    : new GatewayError("conflict", `The route "${name}" was changed meanwhile.`, { hint: "Read it again and repeat." });
}
