import type { Caller } from "../../calls/index.js";
import { alert, alertChannel, alertRule, type AlertChannelRow, type AlertRow, type AlertRuleRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { auditChange } from "../../policy/audit-change.js";
import { update } from "../../ports/index.js";
import type { Alerts, Page, Paged, Services } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import type { AlertEvaluator } from "./evaluator.js";
import { holds, measure } from "./measure.js";
import { tellChannel, type TellDeps } from "./tell-channel.js";

const WITHIN_MS = 10_000;
const scope = { system: "alerts, for who may read them" };

interface By {
  readonly caller: Caller;
  readonly requestId: string;
}

/** Alerts as people see and answer them. They belong to the operator, not to a project: who reads them has a grant for `alerts`. */
export class StoredAlerts implements Alerts {
  readonly #services: Services;
  readonly #o: { readonly evaluator: AlertEvaluator; readonly tell: TellDeps; readonly sendSoon: () => void };

  constructor(services: Services, o: { readonly evaluator: AlertEvaluator; readonly tell: TellDeps; readonly sendSoon: () => void }) {
    this.#services = services;
    this.#o = o;
  }

  async list(
    q: { readonly status?: AlertRow["status"] | undefined; readonly ruleId?: string | undefined },
    page: Paged,
  ): Promise<Page<AlertRow>> {
    const where = { ...(q.status === undefined ? {} : { status: q.status }), ...(q.ruleId === undefined ? {} : { ruleId: q.ruleId }) };
    return this.#services.store.find(
      alert,
      { where, orderBy: "startedAtMs", desc: true, limit: page.limit, cursor: page.cursor },
      scope,
      this.#within(),
    );
  }

  get(id: string): Promise<AlertRow | null> {
    return this.#services.store.get(alert, id, scope, this.#within());
  }

  async acknowledge(id: string, by: By): Promise<AlertRow> {
    const row = await this.#open(id);
    if (row.status === "acknowledged") return row;
    const set = { status: "acknowledged" as const, acknowledgedAtMs: this.#services.clock.now(), acknowledgedBy: by.caller.id };
    const writes = [update(alert, id, { change: { set }, where: { status: "firing" } }), this.#audit("alert.acknowledge", id, by)];
    const [result] = await this.#services.store.commit([{ scope, writes }], this.#within());
    if (result?.ok !== true) return this.#open(id);
    this.#services.events.emit("alert.changed", { alertId: id, ruleId: row.ruleId, status: "acknowledged", severity: row.severity });
    return this.#known(id);
  }

  async resolve(id: string, by: By): Promise<AlertRow> {
    const row = await this.#open(id);
    const rule = await this.#services.store.get(alertRule, row.ruleId, scope, this.#within());
    const channels = await this.#o.evaluator.channelsOf(row, rule);
    const resolved = await this.#o.evaluator.resolve(row, { by: by.caller.id, channels }, [this.#audit("alert.resolve", id, by)]);
    if (resolved) this.#o.sendSoon();
    return this.#known(id);
  }

  async tryRule(id: string) {
    const rule: AlertRuleRow | null = await this.#services.store.get(alertRule, id, scope, this.#within());
    if (rule === null) throw notFound("alert rule");
    const { value, count } = await measure(this.#services, rule, await this.#services.store.now(this.#within()));
    return { value, fires: value !== null && holds(rule, value), threshold: rule.threshold, calls: count };
  }

  async tryChannel(id: string) {
    const channel: AlertChannelRow | null = await this.#services.store.get(alertChannel, id, scope, this.#within());
    if (channel === null) throw notFound("alert channel");
    const { clock, redactor } = this.#services;
    const startedAtMs = clock.now();
    const test = { deliveryId: newId("ntf"), event: "test" as const, alertId: newId("alert"), ruleId: "", rule: "A test of the channel" };
    const measured = {
      metric: "test",
      severity: "info" as const,
      value: 0,
      threshold: 0,
      text: "This is a test.",
      startedAtMs,
      resolvedAtMs: null,
    };
    try {
      await tellChannel({ ...test, ...measured }, channel, this.#o.tell);
      return { ok: true, error: null, durationMs: clock.now() - startedAtMs };
    } catch (error) {
      const known = GatewayError.from(error);
      return { ok: false, error: redactor.redact(`${known.code}: ${known.message}`), durationMs: clock.now() - startedAtMs };
    }
  }

  /** Errors: `not_found`, `conflict` when it has ended. */
  async #open(id: string): Promise<AlertRow> {
    const row = await this.#known(id);
    if (row.status === "resolved") throw new GatewayError("conflict", "The alert has ended already.", { hint: "Nothing is left to do." });
    return row;
  }

  async #known(id: string): Promise<AlertRow> {
    const row = await this.get(id);
    if (row === null) throw notFound("alert");
    return row;
  }

  #audit(action: string, target: string, { caller, requestId }: By) {
    return auditChange(
      { caller, action, target, resourceType: "alert", requestId, source: "http", changed: ["status"] },
      this.#services.clock.now(),
    );
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

function notFound(what: string): GatewayError {
  return new GatewayError("not_found", `There is no such ${what}.`, { hint: "List them to see which there are." });
}
