import { GatewayError } from "@sallyport/core";
import type { Terminal } from "./terminal.js";

/** What happened, why, and one fix; the stack and the causes only when they are asked for. */
export function printError(terminal: Terminal, thrown: unknown, verbose: boolean): void {
  const { paint } = terminal;
  const error = GatewayError.is(thrown) ? thrown : unforeseen(thrown);
  terminal.err(`${paint.red("✖")} ${error.message}`);
  if (error.hint !== undefined) terminal.err(`  ${paint.green("→")} ${error.hint}`);
  terminal.err(paint.dim(`  ${error.code}`));
  if (!verbose) return;
  for (let cause: unknown = thrown; cause instanceof Error; cause = cause.cause) terminal.err(paint.dim(cause.stack ?? cause.message));
}

/** Not one of ours: a system error says enough by its code; all else is a defect. */
function unforeseen(thrown: unknown): GatewayError {
  const code = (thrown as NodeJS.ErrnoException | null)?.code;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (typeof code === "string" && /^E[A-Z]+$/.test(code))
    return new GatewayError("misconfigured", `The system refused something: ${message}.`, {
      hint: "Look at the path or address it names.",
      cause: thrown,
    });
  return new GatewayError("internal", message, {
    hint: "This is a defect. Repeat the command with --verbose and report what it prints.",
    cause: thrown,
  });
}
