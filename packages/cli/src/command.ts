import type { Surroundings } from "./place.js";
import type { Terminal } from "./terminal.js";

/** What every command is given. */
export interface Command extends Surroundings {
  readonly terminal: Terminal;
  readonly verbose: boolean;
}
