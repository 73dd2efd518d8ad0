const levels = { debug: 10, info: 20, warn: 30, error: 40, silent: 100 } as const;
export type LogLevel = keyof typeof levels;
/** Values are ids, names, numbers, codes; never content, never a credential. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;
export type WriteLine = (level: Exclude<LogLevel, "silent">, message: string, fields: LogFields) => void;

/** Leveled log: a line below the level costs one comparison. */
export class Log {
  readonly #least: number;
  readonly #write: WriteLine;
  constructor(level: LogLevel, write: WriteLine) {
    this.#least = levels[level];
    this.#write = write;
  }
  debug(message: string, fields: LogFields = {}): void {
    if (this.#least <= levels.debug) this.#write("debug", message, fields);
  }
  info(message: string, fields: LogFields = {}): void {
    if (this.#least <= levels.info) this.#write("info", message, fields);
  }
  warn(message: string, fields: LogFields = {}): void {
    if (this.#least <= levels.warn) this.#write("warn", message, fields);
  }
  error(message: string, fields: LogFields = {}): void {
    if (this.#least <= levels.error) this.#write("error", message, fields);
  }
}

/**
 * A log of lines. `text` is for people: time, level, message, `name=value`. `json` is one object a line. Control characters are escaped in both, so that no value can
 * forge a line or move a terminal's cursor.
 */
export function logLines(format: "text" | "json", o: { readonly write: (line: string) => void; readonly now: () => number }): WriteLine {
  if (format === "json")
    return (level, message, fields) =>
      o.write(escaped(JSON.stringify({ time: new Date(o.now()).toISOString(), level, message, ...fields })));
  return (level, message, fields) =>
    o.write(escaped(`${new Date(o.now()).toISOString().slice(11, 23)} ${level.padEnd(5)} ${message}${tail(fields)}`));
}

function tail(fields: LogFields): string {
  let text = "";
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined)
      text += ` ${name}=${typeof value === "string" && /[\s"=]/.test(value) ? JSON.stringify(value) : String(value)}`;
  return text;
}

/** C0 and C1 controls, the line separators of Unicode, and what changes the direction of text. */
function escaped(line: string): string {
  return line.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
