import pc from "picocolors";

/** Where a command writes, and how it looks there. */
export interface Terminal {
  /** One line of result. */
  out(line?: string): void;
  /** One line for a person, beside the result. */
  err(line?: string): void;
  readonly paint: ReturnType<typeof pc.createColors>;
}

/** The process's own streams; colours where standard output is a terminal that has them, and NO_COLOR is not set. */
export function processTerminal(): Terminal {
  return {
    out: (line = "") => void process.stdout.write(`${line}\n`),
    err: (line = "") => void process.stderr.write(`${line}\n`),
    paint: pc.createColors(pc.isColorSupported && process.stdout.isTTY === true),
  };
}
