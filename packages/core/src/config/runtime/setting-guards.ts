/**
 * What another permission guards, by the beginning of its settings' keys: who may write configuration and does not have that one cannot loosen it by a setting (T05). The longest counts.
 */
const guards: Readonly<Record<string, string>> = {
  approvals: "approvals:write",
  limits: "limits:write",
  money: "budgets:write",
  access: "keys:write",
  "access.sessions": "users:write",
  audit: "audit:write",
  "retention.usage_days": "usage:write",
  "retention.audit_days": "audit:write",
  "retention.auth_event_days": "audit:write",
  "retention.trace_days": "traces:write",
  "retention.detection_days": "guardrails:write",
};

/** The scope that a change of the setting takes beside `config:write`; null: none. */
export function guardOf(key: string): string | null {
  for (let name = key; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf("."))))
    if (Object.hasOwn(guards, name)) return guards[name]!;
  return null;
}
