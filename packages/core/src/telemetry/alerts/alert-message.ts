import type { AlertNotificationRow, AlertRow } from "../../entities/index.js";

/** What a channel is told. */
export interface AlertMessage {
  /** Of this delivery: repeated when it is sent again. */
  readonly deliveryId: string;
  readonly event: AlertNotificationRow["event"] | "test";
  readonly alertId: string;
  readonly ruleId: string;
  readonly rule: string;
  readonly metric: string;
  readonly severity: AlertRow["severity"];
  readonly value: number;
  readonly threshold: number;
  readonly text: string;
  /** Unix ms. */
  readonly startedAtMs: number;
  readonly resolvedAtMs: number | null;
}

export function messageOf(alert: AlertRow, o: { readonly deliveryId: string; readonly event: AlertMessage["event"] }): AlertMessage {
  return {
    ...{ deliveryId: o.deliveryId, event: o.event, alertId: alert.id, ruleId: alert.ruleId, rule: alert.ruleName, metric: alert.metric },
    ...{ severity: alert.severity, value: alert.value, threshold: alert.threshold, text: alert.message },
    ...{ startedAtMs: alert.startedAtMs, resolvedAtMs: alert.resolvedAtMs },
  };
}

export function titleOf(message: AlertMessage): string {
  const state = message.event === "resolved" ? "resolved" : message.event === "test" ? "test" : message.severity;
  return `[${state}] ${oneLine(message.rule)}`;
}

/** No line break and no other control character: a subject and a title are one line. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}
