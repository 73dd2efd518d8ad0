import type { LogFields, WriteLine } from "../util/log.js";
import type { Secret } from "../util/secret.js";
import { toHex } from "../util/encoding/hex.js";

/** Shorter values stand in too many texts by chance. */
const LEAST_LENGTH = 8;
const MASK = "***";
/** Names of fields whose value is never shown, whatever it is. */
const SECRET_NAME = /authorization|cookie|password|passwd|secret|token|api[-_]?key|private[-_]?key|credential|signature/i;

/**
 * Takes the secrets that it was told of out of texts, in plain form and as base64, hex, percent-encoding and JSON write them. For the sinks: what is logged, traced, stored for people or
 * sent in an error. Costs nothing until a text comes; one search of the text then, however many secrets there are.
 */
export class Redactor {
  readonly #values = new Set<string>();
  #pattern: RegExp | null = null;

  /** From now on the value is in no text that passes. Values under 8 characters are left out. */
  add(value: Secret | string): void {
    const plain = typeof value === "string" ? value : value.reveal();
    if (plain.length < LEAST_LENGTH || this.#values.has(plain)) return;
    this.#values.add(plain);
    this.#pattern = null;
    // Of a header's value the credential alone: it travels without its scheme too.
    const credential = /^(?:bearer|basic|token)\s+(\S+)$/i.exec(plain)?.[1];
    if (credential !== undefined) this.add(credential);
  }

  /** The value is no secret any more: for those that come and go by the thousand. */
  forget(value: string): void {
    if (this.#values.delete(value)) this.#pattern = null;
  }

  redact(text: string): string {
    if (this.#values.size === 0) return text;
    this.#pattern ??= patternOf(this.#values);
    return text.replace(this.#pattern, MASK);
  }

  /** A log whose lines pass here first. */
  ofLines(write: WriteLine): WriteLine {
    return (level, message, fields) => write(level, this.redact(message), this.redactJson(fields) as LogFields);
  }

  /** The value with every text in it redacted, and every field of a secret's name masked. For JSON values. */
  redactJson(value: unknown): unknown {
    if (typeof value === "string") return this.redact(value);
    if (Array.isArray(value)) return value.map((item) => this.redactJson(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, SECRET_NAME.test(name) && item !== null ? MASK : this.redactJson(item)]),
    );
  }
}

function patternOf(values: ReadonlySet<string>): RegExp {
  const forms = new Set<string>();
  for (const value of values) for (const form of formsOf(value)) forms.add(form);
  // The longest first: one that holds another is taken out whole.
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  return new RegExp(sorted.map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|"), "g");
}

function formsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const hex = toHex(bytes);
  return [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)),
  ];
}

/** What every base64 text that holds the bytes at this offset (of three) has in common, in both alphabets. */
function base64At(bytes: Uint8Array, offset: number): string[] {
  const shifted = new Uint8Array(offset + bytes.length);
  shifted.set(bytes, offset);
  let text = "";
  for (const byte of shifted) text += String.fromCharCode(byte);
  const whole = btoa(text).replaceAll("=", "");
  // Characters that also carry bits of what stands before or after differ from text to text.
  const start = offset === 0 ? 0 : offset + 1;
  const end = (offset + bytes.length) % 3 === 0 ? whole.length : whole.length - 1;
  const common = whole.slice(start, end);
  return [common, common.replaceAll("+", "-").replaceAll("/", "_")];
}
