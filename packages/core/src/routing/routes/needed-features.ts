import type { ModelCall } from "../../calls/index.js";
import type { Model } from "../../providers/index.js";
import type { Target } from "../resolve.js";

/** What a target may be known not to have, and that must not be lost in silence. */
export type Need = "tools" | "vision" | "structured-output";
export const needs: readonly Need[] = ["tools", "vision", "structured-output"];

/** What this call cannot do without. */
export function neededFeatures(call: ModelCall): ReadonlySet<Need> {
  const found = new Set<Need>();
  if (call.tools !== undefined && call.tools.length > 0 && call.toolChoice !== "none") found.add("tools");
  if (call.output?.type === "json-schema") found.add("structured-output");
  for (const message of call.messages)
    for (const part of message.content) {
      if (part.type === "media" && part.mediaType.startsWith("image/")) found.add("vision");
      if (part.type === "tool-result" && part.content.some((inner) => inner.type === "media" && inner.mediaType.startsWith("image/")))
        found.add("vision");
    }
  return found;
}

/** What the model is known not to have. Nothing is known of one that nobody listed; of one of the catalogue only what the catalogue says outright. */
export function knownToLack(model: Model | null): readonly Need[] {
  if (model === null) return [];
  // A list that a person wrote is taken to be whole.
  const isWhole = model.source === null && model.features.length > 0;
  const lacks: Record<Need, boolean> = {
    tools: model.supportsMcp === false || (isWhole && !model.features.includes("tools")),
    vision: model.inputFormats.length > 0 ? !model.inputFormats.includes("image") : isWhole && !model.features.includes("vision"),
    "structured-output": isWhole && !model.features.includes("structured-output"),
  };
  return needs.filter((need) => lacks[need]);
}

/** What of the needs a target is known not to have, the first of them; null: nothing. `of` is only asked when the target lacks anything at all. */
export function lackOf(target: Target, of: () => ReadonlySet<Need>): Need | null {
  const lacking = knownToLack(target.model);
  return lacking.length === 0 ? null : (lacking.find((need) => of().has(need)) ?? null);
}
