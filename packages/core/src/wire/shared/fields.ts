import { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";

/**
 * Reads the fields of one object of a caller, each of the right type or an error that names it, and remembers which were read: `rest` is what nobody knew.
 * `null` counts as absent, as the vendors' SDKs send it for "not set". Errors: `validation_failed` with `details.param`.
 */
export class Fields {
  readonly #object: Record<string, unknown>;
  readonly #path: string;
  readonly #read = new Set<string>();

  constructor(value: unknown, path = "") {
    if (!isObject(value)) throw invalid(path, "must be an object");
    this.#object = value;
    this.#path = path;
  }

  /** The full name of a field, as it is told to the caller: `messages[0].role`. */
  path(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
  /** The value as it came, null included. */
  raw(key: string): unknown {
    this.#read.add(key);
    // Not through the prototype: a field named like one of its members was not sent.
    return Object.hasOwn(this.#object, key) ? this.#object[key] : undefined;
  }
  string(key: string): string {
    return this.optionalString(key) ?? this.#missing(key);
  }
  list(key: string): readonly unknown[] {
    return this.optionalList(key) ?? this.#missing(key);
  }
  fields(key: string): Fields {
    return this.optionalFields(key) ?? this.#missing(key);
  }

  optionalString(key: string): string | undefined {
    const value = this.#given(key);
    if (value === undefined || typeof value === "string") return value;
    throw invalid(this.path(key), "must be a string");
  }
  optionalBoolean(key: string): boolean | undefined {
    const value = this.#given(key);
    if (value === undefined || typeof value === "boolean") return value;
    throw invalid(this.path(key), "must be true or false");
  }
  optionalNumber(key: string): number | undefined {
    const value = this.#given(key);
    // 1e999 is valid JSON and reads as Infinity, which has no JSON form to be sent on in.
    if (value === undefined || (typeof value === "number" && Number.isFinite(value))) return value;
    throw invalid(this.path(key), "must be a number");
  }
  optionalInteger(key: string): number | undefined {
    const value = this.#given(key);
    if (value === undefined || (typeof value === "number" && Number.isSafeInteger(value))) return value;
    throw invalid(this.path(key), "must be a whole number");
  }
  optionalList(key: string): readonly unknown[] | undefined {
    const value = this.#given(key);
    if (value === undefined || Array.isArray(value)) return value as readonly unknown[] | undefined;
    throw invalid(this.path(key), "must be a list");
  }
  optionalFields(key: string): Fields | undefined {
    const value = this.#given(key);
    return value === undefined ? undefined : new Fields(value, this.path(key));
  }
  /** The object itself, unread. */
  optionalObject(key: string): Record<string, unknown> | undefined {
    const value = this.#given(key);
    if (value === undefined || isObject(value)) return value;
    throw invalid(this.path(key), "must be an object");
  }

  /** The fields that were not read, as they came; undefined when there are none. */
  rest(): Record<string, unknown> | undefined {
    const unread = Object.keys(this.#object).filter((key) => !this.#read.has(key));
    return unread.length === 0 ? undefined : Object.fromEntries(unread.map((key) => [key, this.#object[key]]));
  }

  #given(key: string): unknown {
    return this.raw(key) ?? undefined;
  }
  #missing(key: string): never {
    throw invalid(this.path(key), "is missing");
  }
}

/** A field of a caller that has a wrong value. */
export function invalid(param: string, what: string): GatewayError {
  return new GatewayError("validation_failed", param === "" ? `The body ${what}.` : `The field "${param}" ${what}.`, {
    details: { param },
  });
}

/** A field of a caller, or of a neutral call, that this protocol or vendor has no counterpart for. */
export function unsupported(param: string, what: string): GatewayError {
  return new GatewayError("unsupported_feature", `The field "${param}" ${what}.`, {
    hint: "Leave it out, or choose a model that supports it.",
    details: { param },
  });
}
