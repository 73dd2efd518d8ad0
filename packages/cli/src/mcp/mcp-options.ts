export interface McpOptions {
  readonly namespace?: string | undefined;
  readonly json: boolean;
  /** What stands behind the action, and behind `--`. */
  readonly rest: readonly string[];
}
