import type { ToolOverride, ToolShapeRules } from "../../entities/index.js";
import { ArgumentFill } from "./argument-fill.js";
import { letsPass } from "../../util/glob.js";

/**
 * What of a server's tools is there, and under which names of its own. It follows from the operator's words alone, never from which tools the server has: a server cannot take a name by adding a tool.
 */
export class ToolShape {
  readonly #rules: ToolShapeRules;
  readonly #overrides: ReadonlyMap<string, ToolOverride>;
  /** Tools by the name that the operator gave them. */
  readonly #renamed: ReadonlyMap<string, string>;
  readonly #fills = new Map<string, ArgumentFill>();

  constructor(rules: ToolShapeRules) {
    this.#rules = rules;
    this.#overrides = new Map(Object.entries(rules.overrides ?? {}));
    this.#renamed = new Map([...this.#overrides].flatMap(([tool, { name }]) => (name === undefined ? [] : [[name, tool] as const])));
    for (const [tool, override] of this.#overrides) {
      const fill = ArgumentFill.of(override.arguments);
      if (fill !== null) this.#fills.set(tool, fill);
    }
  }

  override(tool: string): ToolOverride | undefined {
    return this.#overrides.get(tool);
  }

  /** What is put into calls of the tool, listed or not; null: nothing. */
  fill(tool: string): ArgumentFill | null {
    return this.#fills.get(tool) ?? null;
  }

  /** Whether it is there at all: listed, and callable. A tool whose name the operator gave to another is not. */
  has(tool: string): boolean {
    if (this.#overrides.get(tool)?.hidden === true) return false;
    return letsPass(this.#rules, tool) && this.toolOf(this.shownOf(tool)) === tool;
  }

  /** As MCP clients know it, without its server. */
  shownOf(tool: string): string {
    return this.#overrides.get(tool)?.name ?? tool;
  }

  /** The tool that is shown so, as its server knows it; null: none can be. */
  toolOf(shown: string): string | null {
    const renamed = this.#renamed.get(shown);
    if (renamed !== undefined) return renamed;
    const away = this.#overrides.get(shown)?.name;
    return away === undefined || away === shown ? shown : null;
  }
}

/** All of a server's tools, as they are. */
export const AS_IT_IS = new ToolShape({});
