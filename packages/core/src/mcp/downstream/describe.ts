import type { Caller } from "../../calls/index.js";
import { TASKS } from "../bridge/capabilities.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { View } from "../catalogue/view.js";

/** Longer instructions of one server are cut: they go into a model's context. */
const MAX_INSTRUCTIONS = 8_192;

/**
 * What this gateway can, told alike whichever servers are up: they come and go, and a client asks once.
 */
export const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
} as const;
/** The same since 2026-07-28, with its extensions. */
export const MODERN_CAPABILITIES = { ...CAPABILITIES, extensions: { [TASKS]: {} } };

/** The namespace's own instructions, or those of the servers that the caller may see anything of, by name; null when none has any. */
export function instructionsFor(catalogue: Catalogue, view: View, caller: Caller): string | null {
  if (view.instructions !== undefined && view.instructions !== null) return view.instructions;
  const parts: string[] = [];
  for (const upstream of catalogue.shown(view)) {
    const text = upstream.connectionFor(caller)?.instructions;
    // Words of a server that nobody vouches for are not put into a model's context.
    if (upstream.target.isUntrusted === true) continue;
    if (text === undefined || text === null || text.trim() === "" || !catalogue.sees(caller, upstream)) continue;
    const cut = text.length > MAX_INSTRUCTIONS ? `${text.slice(0, MAX_INSTRUCTIONS)}…` : text;
    parts.push(view.bare === null ? `# ${upstream.name}\n${cut}` : cut);
  }
  return parts.length === 0 ? null : parts.join("\n\n");
}
