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
const PAGE = 200;
const scope = { system: "the evaluation of alert rules" };

/**
 * Evaluates rules, each by the one node that takes it when it is due: there is no leader. A rule whose condition holds opens one alert and tells its channels once; when it no longer holds, the alert
 * is resolved and they are told again. While there is nothing to measure, it stays as it is; a rule that is deleted or disabled ends its alert. However many nodes and however often, one alert of a rule is open at a time.
 */
export class AlertEvaluator {
  readonly #services: Services;
  readonly #everyMs: () => number;

  constructor(services: Services, o: { readonly everyMs: () => number }) {
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
          change: { set: { dueAtMs: nowPlus(this.#everyMs()) } },
        },
        this.#within(),
      );
      for (const rule of rules) if (await this.#evaluate(rule)) changes++;
      if (rules.length < BATCH) return changes + (await this.#endOrphans());
    }
  }

  /** Ends what nobody watches any more: alerts whose rule is deleted or disabled. */
  async #endOrphans(): Promise<number> {
    const { store } = this.#services;
    let ended = 0;
    let cursor: string | undefined;
    do {
      const where = { status: { in: ["firing", "acknowledged"] as const } };
      const page = await store.find(alert, { where, orderBy: "startedAtMs", limit: PAGE, cursor }, scope, this.#within());
      for (const open of page.rows) {
        const rule = await store.get(alertRule, open.ruleId, scope, this.#within());
        if (rule?.enabled === true) continue;
        if (await this.resolve(open, { by: null, channels: await this.channelsOf(open, rule) })) ended++;
      }
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return ended;
  }

  /** Who is to hear of the alert: the channels of its rule, or when that is gone those that were told when it began. */
  async channelsOf(open: AlertRow, rule: AlertRuleRow | null): Promise<readonly string[]> {
    if (rule !== null) return rule.channels;
    const query = { where: { alertId: open.id }, orderBy: "id" as const, limit: PAGE };
    const { rows } = await this.#services.store.find(alertNotification, query, scope, this.#within());
    return rows.map(({ channelId }) => channelId);
  }

  async #evaluate(rule: AlertRuleRow): Promise<boolean> {
    try {
      const { value } = await measure(this.#services, rule, await this.#services.store.now(this.#within()));
      if (value === null) return false; // nothing happened: whether it would still hold, nobody knows
      const fires = holds(rule, value);
      const open = await this.openOf(rule.id);
      if (fires && open === null) return await this.#fire(rule, value);
      if (!fires && open !== null) return await this.resolve(open, { by: null, channels: rule.channels }, [heldBy(rule)]);
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
    const writes = [heldBy(rule), insert(alert, row), ...tellings(id, rule.channels, "firing")];
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

/** What was measured counts until another process measures: one that was frozen meanwhile says nothing of it. */
function heldBy({ id, dueAtMs }: AlertRuleRow): Write {
  return update(alertRule, id, { change: { set: { dueAtMs } }, where: { dueAtMs } });
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
