import type { Json } from "../../calls/index.js";
import type { ActionOptions } from "../resource-actions.js";

/** What one rule did. */
export interface FiredRule {
  readonly ruleId: string;
  readonly source: "tool" | "resource" | "function";
  /** The tool, the resource or the function that was asked. */
  readonly op: string;
  /** What it waits for was not in the result. */
  readonly skipped: boolean;
  readonly error: string | null;
  readonly durationMs: number;
}
export interface DryRunInput {
  /** The arguments of a call, and its result's value. */
  readonly args: Json;
  readonly response: Json;
  /** Left out: whoever asks. */
  readonly user?: Json | undefined;
}
export interface DryRun {
  readonly response: Json;
  readonly warnings: readonly string[];
  readonly fired: readonly FiredRule[];
}

/** What rules add to tools' results. */
export interface Enrichments {
  /** One rule, enabled or not, on a call that nobody makes. Its source is asked in earnest, as the caller. Errors: `not_found`. */
  dryRun(id: string, given: DryRunInput, o: ActionOptions): Promise<DryRun>;
}
