import type { EffectiveValue } from "@sallyport/core";
import type { Terminal } from "../terminal.js";
import type { Finding } from "./finding.js";

/** One line a finding, its fix below it, then every value that holds with its source. */
export function printReport({ out, paint }: Terminal, findings: readonly Finding[], values: readonly EffectiveValue[]): void {
  const marks = { ok: paint.green("ok  "), warn: paint.yellow("warn"), fail: paint.red("FAIL") };
  const width = Math.max(...findings.map((finding) => finding.area.length));
  for (const { area, status, what, fix } of findings) {
    out(`${marks[status]}  ${area.padEnd(width)}  ${what}`);
    if (fix !== undefined) out(`      ${" ".repeat(width)}  ${paint.green("→")} ${fix}`);
  }
  if (values.length > 0) printValues({ out, paint }, values);
  const count = (status: Finding["status"]): number => findings.filter((finding) => finding.status === status).length;
  out();
  out(
    count("fail") === 0
      ? `All well${count("warn") === 0 ? "" : `, with ${count("warn")} to look at`}.`
      : `${count("fail")} to mend, ${count("warn")} to look at.`,
  );
}

function printValues({ out, paint }: Pick<Terminal, "out" | "paint">, values: readonly EffectiveValue[]): void {
  out();
  out(paint.bold("Configuration"));
  const paths = Math.max(...values.map((value) => value.path.length));
  const texts = values.map((value) => String(value.value));
  const width = Math.min(40, Math.max(...texts.map((text) => text.length)));
  values.forEach((value, i) => {
    const line = `  ${value.path.padEnd(paths)}  ${(texts[i] ?? "").padEnd(width)}  ${value.from === "code" ? "command line" : value.from}`;
    out(value.source.kind === "default" ? paint.dim(line) : line);
  });
}
