import type { Caller } from "../../calls/index.js";
import { approvalRule, toolClassification, toolPermission, type ApprovalRuleRow, type ToolPermissionRow } from "../../entities/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import type { Counters } from "../../ports/index.js";
import { matchesGlob } from "../../util/glob.js";
import { LookAlikes } from "../../util/json-checks/look-alikes.js";
import { Classes } from "./classify.js";
import { conditionsHold } from "./conditions.js";

const DAY_MS = 86_400_000;
const WITHIN_MS = 2_000;

const compiled = new WeakMap<object, { readonly config: Snapshot["config"]; readonly classes: Classes }>();

/** The classes of a snapshot: one object as long as nothing of them changes. */
export function classesOf({ records, config }: Pick<Snapshot, "records" | "config">): Classes {
  const rows = records.of(toolClassification);
  const known = compiled.get(rows);
  if (known?.config === config) return known.classes;
  const classes = new Classes(rows, config.approvals);
  compiled.set(rows, { config, classes });
  return classes;
}

export interface Asked {
  readonly caller: Caller;
  readonly server: string;
  readonly tool: string;
  /** JSON text. */
  readonly arguments: string;
  readonly nowMs: number;
}

/** Whether a rule says that such a call is always allowed. */
export function ruleFor(snapshot: Snapshot, o: Asked): ApprovalRuleRow | null {
  const rules = snapshot.records.of(approvalRule);
  if (rules.length === 0) return null;
  const args: unknown = JSON.parse(o.arguments);
  const fits = (rule: ApprovalRuleRow): boolean =>
    rule.projectId === o.caller.projects[0] &&
    (rule.callerId === null || rule.callerId === o.caller.id) &&
    (rule.expiresAtMs === null || rule.expiresAtMs > o.nowMs) &&
    matchesGlob(rule.server, o.server) &&
    matchesGlob(rule.tool, o.tool) &&
    conditionsHold(rule.conditions, args) &&
    // A server that reads names in any case would take it for the one that was looked at.
    new LookAlikes(rule.conditions.flatMap(({ path }) => path.split("."))).in(args) === null;
  return rules.find(fits) ?? null;
}

/** Whether the caller was given the tool. A permission with a number of uses a day counts this one. */
export async function isPermitted(snapshot: Snapshot, o: Asked, counters: Counters): Promise<boolean> {
  for (const permission of snapshot.records.of(toolPermission)) {
    if (!covers(permission, o)) continue;
    if (permission.maxUsesDay === null) return true;
    const demand = { key: `tool-permission:${permission.id}`, cost: 1, limit: permission.maxUsesDay, windowMs: DAY_MS };
    // Counters that are away say no: then a person is asked.
    const spent = await counters.spend([demand], { deadlineMs: o.nowMs + WITHIN_MS }).catch(() => null);
    if (spent?.ok === true) return true;
  }
  return false;
}

/** What gives the caller the tool, one without a number of uses before others; null: nothing does. Counts nothing. */
export function permissionFor(snapshot: Snapshot, o: Asked): ToolPermissionRow | null {
  const found = snapshot.records.of(toolPermission).filter((permission) => covers(permission, o));
  return found.find(({ maxUsesDay }) => maxUsesDay === null) ?? found[0] ?? null;
}

function covers(permission: ToolPermissionRow, o: Asked): boolean {
  if (permission.expiresAtMs !== null && permission.expiresAtMs <= o.nowMs) return false;
  return isSubject(permission, o.caller) && matchesGlob(permission.server, o.server) && matchesGlob(permission.tool, o.tool);
}

function isSubject({ subject, subjectId }: ToolPermissionRow, caller: Caller): boolean {
  if (subject === "user") return caller.userId === subjectId;
  if (subject === "team") return caller.teamId === subjectId;
  if (subject === "project") return caller.projects[0] === subjectId;
  return caller.keyId === subjectId || (caller.kind === "key" && caller.id === subjectId);
}
