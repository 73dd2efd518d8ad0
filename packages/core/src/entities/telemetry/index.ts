export { alert, alertNotification, alertStatus, type AlertNotificationRow, type AlertRow } from "./alert.js";
export { alertChannel, alertChannelKind, alertChannelSettings, type AlertChannelRow } from "./alert-channel.js";
export { alertCondition, alertFilters, alertMetric, alertRule, alertSeverity, type AlertMetric, type AlertRuleRow } from "./alert-rule.js";
export { auditEntry, type AuditRow } from "./audit-entry.js";
export { traceSpan, type TraceSpanRow } from "./trace-span.js";
