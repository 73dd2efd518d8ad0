import type { ToolFilter } from "../../entities/index.js";
import { matchesAnyGlob } from "../../util/glob.js";

/** Whether a filter leaves a name there: a denial wins. */
export function passes({ allow, deny }: ToolFilter, name: string): boolean {
  if (deny !== undefined && matchesAnyGlob(deny, name)) return false;
  return allow === undefined || matchesAnyGlob(allow, name);
}
