/** What a spreadsheet would run as a formula. Source: OWASP, CSV Injection. */
const formula = /^[=+\-@\t\r]/;

/** One line of CSV. Text that a spreadsheet would take for a formula gets a ' in front; what is no text is written as JSON. Source: RFC 4180 */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map(cell).join(",")}\r\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
