import { alert, alertNotification, alertRule, type AlertRow, type AlertRuleRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, nowPlus, update, type Write } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { cutText } from "../../util/well-formed.js";
import { oneLine } from "./alert-message.js";
import { holds, measure } from "./measure.js";

const WITHIN_MS = 10_000;
const BATCH = 20;
const scope = { system: "the evaluation of alert rules" };

/**
 * Evaluates rules, each by the one node that takes it when it is due: there is no leader. A rule whose condition holds opens one alert and tells its channels once; when it no longer holds, the alert
 * is resolved and they are told again. However many nodes and however often, one alert of a rule is open at a time.
 */
export class AlertEvaluator {
  readonly #services: Services;
  readonly #everyMs: number;

  constructor(services: Services, o: { readonly everyMs: number }) {
    this.#services = services;
    this.#everyMs = o.everyMs;
  }

  /** Evaluates what is due here; how many alerts began or ended. A rule that fails is reported and evaluated again when it is due next. Errors: those of taking. */
  async evaluateDue(): Promise<number> {
    let changes = 0;
    for (;;) {
      const rules = await this.#services.store.take(
        alertRule,
        {
          where: { enabled: true, dueAtMs: { lte: now } },
          orderBy: ["dueAtMs"],
          limit: BATCH,
          change: { set: { dueAtMs: nowPlus(this.#everyMs) } },
        },
        this.#within(),
      );
      for (const rule of rules) if (await this.#evaluate(rule)) changes++;
      if (rules.length < BATCH) return changes;
    }
  }

  async #evaluate(rule: AlertRuleRow): Promise<boolean> {
    try {
      const { value } = await measure(this.#services, rule, await this.#services.store.now(this.#within()));
      const fires = value !== null && holds(rule, value);
      const open = await this.openOf(rule.id);
      if (fires && open === null) return await this.#fire(rule, value);
      if (!fires && open !== null) return await this.resolve(open, { by: null, channels: rule.channels });
      return false;
    } catch (error) {
      this.#services.log.warn("an alert rule could not be evaluated", { rule: rule.id, code: GatewayError.from(error).code });
      return false;
    }
  }

  /** The rule's open alert; null: it has none. */
  async openOf(ruleId: string): Promise<AlertRow | null> {
    const { rows } = await this.#services.store.find(alert, { where: { openKey: ruleId }, orderBy: "id", limit: 1 }, scope, this.#within());
    return rows[0] ?? null;
  }

  async #fire(rule: AlertRuleRow, value: number): Promise<boolean> {
    const id = newId("alert");
    const row = {
      ...{ id, ruleId: rule.id, openKey: rule.id, status: "firing" as const, ruleName: rule.name, metric: rule.metric },
      ...{ severity: rule.severity, value, threshold: rule.threshold, message: textOf(rule, value) },
      ...{ startedAtMs: this.#services.clock.now(), acknowledgedAtMs: null, acknowledgedBy: null, resolvedAtMs: null, resolvedBy: null },
    };
    const writes = [insert(alert, row), ...tellings(id, rule.channels, "firing")];
    const [result] = await this.#services.store.commit([{ scope, writes }], this.#within());
    // Refused: another node was first.
    if (result?.ok !== true) return false;
    this.#services.events.emit("alert.changed", { alertId: id, ruleId: rule.id, status: "firing", severity: rule.severity });
    return true;
  }

  /** Ends an alert, and tells the channels. False: it had ended already. */
  async resolve(
    open: AlertRow,
    o: { readonly by: string | null; readonly channels: readonly string[] },
    more: readonly Write[] = [],
  ): Promise<boolean> {
    const set = { status: "resolved" as const, openKey: open.id, resolvedAtMs: this.#services.clock.now(), resolvedBy: o.by };
    const write = update(alert, open.id, { change: { set }, where: { openKey: open.ruleId } });
    const [result] = await this.#services.store.commit(
      [{ scope, writes: [write, ...tellings(open.id, o.channels, "resolved"), ...more] }],
      this.#within(),
    );
    if (result?.ok !== true) return false;
    this.#services.events.emit("alert.changed", { alertId: open.id, ruleId: open.ruleId, status: "resolved", severity: open.severity });
    return true;
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

function tellings(alertId: string, channels: readonly string[], event: "firing" | "resolved"): Write[] {
  return [...new Set(channels)].map((channelId) =>
    insert(alertNotification, {
      ...{ id: newId("ntf"), alertId, channelId, event, status: "pending" as const, attempt: 0 },
      ...{ dueAtMs: now, sentAtMs: null, error: null },
    }),
  );
}

const words = { gt: "above", gte: "at or above", lt: "below", lte: "at or below", eq: "equal to", neq: "other than" } as const;

function textOf(rule: AlertRuleRow, value: number): string {
  const shown = Number.isInteger(value) ? String(value) : value.toPrecision(4);
  return cutText(`${oneLine(rule.name)}: ${rule.metric} is ${shown}, ${words[rule.condition]} ${rule.threshold}.`, 1_000);
}
