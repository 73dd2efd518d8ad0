/** One line to standard error, or to the console where there is no process. */
export function writeLine(line: string): void {
  // oxlint-disable-next-line no-console -- the one place where a gateway that was given no log of its own writes it
  console.error(line);
}
