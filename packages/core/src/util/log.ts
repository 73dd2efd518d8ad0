const levels = { debug: 10, info: 20, warn: 30, error: 40, silent: 100 } as const;
export type LogLevel = keyof typeof levels;
/** Values are ids, names, numbers, codes; never content, never a credential. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;
export type WriteLine = (level: Exclude<LogLevel, "silent">, message: string, fields: LogFields) => void;

/** Leveled log: a line below the level costs one comparison. A line that cannot be written is dropped and counted: nothing fails because of its log. */
export class Log {
  #least: number;
  readonly #write: WriteLine;
  #dropped = 0;
  constructor(level: LogLevel, write: WriteLine) {
    this.#least = levels[level];
    this.#write = write;
  }

  /** From now on. */
  set level(level: LogLevel) {
    this.#least = levels[level];
  }

  /** Lines that could not be written. */
  get dropped(): number {
    return this.#dropped;
  }

  debug(message: string, fields: LogFields = {}): void {
    if (this.#least <= levels.debug) this.#line("debug", message, fields);
  }
  info(message: string, fields: LogFields = {}): void {
    if (this.#least <= levels.info) this.#line("info", message, fields);
  }
  warn(message: string, fields: LogFields = {}): void {
    if (this.#least <= levels.warn) this.#line("warn", message, fields);
  }
  error(message: string, fields: LogFields = {}): void {
    if (this.#least <= levels.error) this.#line("error", message, fields);
  }

  #line(level: Exclude<LogLevel, "silent">, message: string, fields: LogFields): void {
    try {
      this.#write(level, message, fields);
    } catch {
      this.#dropped++;
    }
  }
}

/** A logger of the host's own, as pino's are: an object, then the message. */
export interface LoggerLike {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Lines to the host's own logger: what time it is and where they go is its affair. Names that such loggers give a meaning keep it: fields of these names get an underscore. */
export function loggerLines(logger: LoggerLike): WriteLine {
  return (level, message, fields) => logger[level](bounded(fields, OWNED), cut(message));
}
const OWNED: ReadonlySet<string> = new Set(["level", "time", "msg", "message", "pid", "hostname", "v", "err"]);

/** A longer text says nothing more in a line. */
const MOST_CHARACTERS = 4_000;
const MOST_FIELDS = 50;

function cut(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}… (${text.length} characters)`;
}

/** Fields that cannot make a line too long, nor stand in the place of what the line itself says. */
function bounded(fields: LogFields, owned: ReadonlySet<string>): LogFields {
  const kept: Record<string, LogFields[string]> = Object.create(null) as Record<string, LogFields[string]>;
  let count = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (count++ === MOST_FIELDS) break;
    const own = name === "" || owned.has(name) ? `${name}_` : name;
    kept[cut(own)] = typeof value === "string" ? cut(value) : value;
  }
  return kept;
}

/**
 * A log of lines. `text` is for people: time, level, message, `name=value`. `json` is one object a line. Control characters are escaped in both, so that no value can
 * forge a line or move a terminal's cursor.
 */
export function logLines(format: "text" | "json", o: { readonly write: (line: string) => void; readonly now: () => number }): WriteLine {
  if (format === "json")
    return (level, message, fields) =>
      o.write(
        escaped(JSON.stringify({ time: new Date(o.now()).toISOString(), level, message: cut(message), ...bounded(fields, RESERVED) })),
      );
  return (level, message, fields) =>
    o.write(escaped(`${new Date(o.now()).toISOString().slice(11, 23)} ${level.padEnd(5)} ${cut(message)}${tail(bounded(fields, NONE))}`));
}

const RESERVED: ReadonlySet<string> = new Set(["time", "level", "message"]);
const NONE: ReadonlySet<string> = new Set();

function tail(fields: LogFields): string {
  let text = "";
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined)
      text += ` ${/[\s"=]/.test(name) ? JSON.stringify(name) : name}=${typeof value === "string" && /[\s"=]/.test(value) ? JSON.stringify(value) : String(value)}`;
  return text;
}

/** C0 and C1 controls, the line separators of Unicode, and what changes the direction of text. */
function escaped(line: string): string {
  return line.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
