import type { PersonaBound } from "../../calls/index.js";
import { letsPass } from "../../util/glob.js";

const SEPARATOR = "__";

/** Whether a persona leaves `server__tool`, or `server__` with the URI of a resource: its server and it itself both have to pass. */
export function leaves({ servers, tools }: PersonaBound, name: string): boolean {
  return letsPass(servers, serverOf(name)) && letsPass(tools, name);
}

/** Server names hold no double underscore, so the first one separates. */
export function serverOf(name: string): string {
  const at = name.indexOf(SEPARATOR);
  return at < 0 ? name : name.slice(0, at);
}
