import type { ApprovalCondition } from "../../entities/index.js";

/** Whether every condition holds of the arguments. A value that is not there, or of another type, fits none but `absent`. */
export function conditionsHold(conditions: readonly ApprovalCondition[], args: unknown): boolean {
  return conditions.every((condition) => holds(condition, valueAt(args, condition.path)));
}

function holds({ op, value }: ApprovalCondition, found: unknown): boolean {
  switch (op) {
    case "absent":
      return found === undefined;
    case "equals":
      return found !== undefined && found === value;
    case "in":
      return Array.isArray(value) && typeof found === "string" && value.includes(found);
    case "starts_with":
      return typeof found === "string" && typeof value === "string" && found.startsWith(value);
    case "ends_with":
      return typeof found === "string" && typeof value === "string" && found.endsWith(value);
    case "lte":
      return typeof found === "number" && typeof value === "number" && found <= value;
    case "gte":
      return typeof found === "number" && typeof value === "number" && found >= value;
  }
}

function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}
