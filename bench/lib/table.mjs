export const median = (values) => {
  const sorted = values.filter((value) => value !== null && value !== undefined).toSorted((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[Math.floor(sorted.length / 2)];
};

/** Medians of every number over the rounds of one subject. */
export function medians(rounds) {
  const out = {};
  for (const key of Object.keys(rounds[0] ?? {})) out[key] = median(rounds.map((round) => round[key]));
  return out;
}

/** A plain text table; numbers to the right. */
export function table(title, columns, rows) {
  const cells = [columns, ...rows.map((row) => row.map((cell) => (cell === null || cell === undefined ? "–" : String(cell))))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const line = (row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  console.log(`\n${title}\n${line(cells[0])}\n${widths.map((width) => "-".repeat(width)).join("  ")}`);
  for (const row of cells.slice(1)) console.log(line(row));
}

export const ratio = (value, base) => (value === null || value === undefined || !base ? null : Number((value / base).toFixed(2)));

/** How much of the base's CPU time a unit this one needs, upside down: 1 is the same, less is dearer. Holds on a machine that others use too, where calls a second do not. */
export const thrift = (row, base) => ratio(base.cpuMicros, row.cpuMicros);
