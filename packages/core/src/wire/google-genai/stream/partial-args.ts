import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";

type Json = Readonly<Record<string, unknown>>;
type Step = string | number;

/** An object or list that is open in the text. */
interface Open {
  readonly kind: "object" | "list";
  /** The key or place of the member that is being written; null before the first. */
  at: Step | null;
  /** The keys that were written. */
  readonly keys: Set<Step>;
}

/**
 * The arguments of a call that Google streams as values by their paths (`partialArgs`), put together as the JSON text that they are of. The model writes them in the
 * order of that text, so that each value continues it; values in another order cannot be told as text that grows.
 * Source: https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1beta1/Content#PartialArg. Errors: `upstream_protocol`.
 */
export class PartialArgs {
  readonly #open: Open[] = [{ kind: "object", at: null, keys: new Set() }];
  /** The path of the text that is not closed yet. */
  #string: readonly Step[] | null = null;
  #begun = false;

  /** The text that the values add. */
  push(values: readonly unknown[]): string {
    return values.map((value) => (isObject(value) ? this.#value(value) : "")).join("");
  }

  /** The text that is still missing at the end. */
  end(): string {
    return `${this.#begin()}${this.#closeString()}${this.#close(0)}`;
  }

  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    return "{";
  }

  #value(value: Json): string {
    const path = parsePath(value["jsonPath"]);
    const literal = literalOf(value);
    if (literal === undefined) return "";
    const continues = value["willContinue"] === true;
    if (this.#string !== null && samePath(this.#string, path)) {
      const more = typeof value["stringValue"] === "string" ? escaped(value["stringValue"]) : "";
      return continues ? more : more + this.#closeString();
    }
    const text = this.#begin() + this.#closeString() + this.#moveTo(path);
    if (typeof value["stringValue"] !== "string" || !continues) return text + literal;
    this.#string = path;
    return `${text}"${escaped(value["stringValue"])}`;
  }

  #closeString(): string {
    if (this.#string === null) return "";
    this.#string = null;
    return '"';
  }

  /** Closes what the path has left, opens what it enters, up to its last key or place. */
  #moveTo(path: readonly Step[]): string {
    let shared = 0;
    while (shared < path.length - 1 && shared < this.#open.length - 1 && this.#open[shared]?.at === path[shared]) shared++;
    let text = this.#close(shared + 1);
    for (let depth = shared; depth < path.length; depth++) {
      const container = this.#open[depth] as Open;
      text += enter(container, path[depth] as Step);
      if (depth === path.length - 1) break;
      const kind = typeof path[depth + 1] === "number" ? "list" : "object";
      this.#open.push({ kind, at: null, keys: new Set() });
      text += kind === "list" ? "[" : "{";
    }
    return text;
  }

  /** Closes containers until only so many are open. */
  #close(count: number): string {
    let text = "";
    while (this.#open.length > count) text += this.#open.pop()?.kind === "list" ? "]" : "}";
    return text;
  }
}

/** The comma and the key in front of a member, which has to come behind the one before. */
function enter(container: Open, step: Step): string {
  const comma = container.at === null ? "" : ",";
  if (container.kind === "list") {
    if (step !== (typeof container.at === "number" ? container.at + 1 : 0)) throw outOfOrder();
    container.at = step;
    return comma;
  }
  if (typeof step !== "string" || container.keys.has(step)) throw outOfOrder();
  container.keys.add(step);
  container.at = step;
  return `${comma}${JSON.stringify(step)}:`;
}

function outOfOrder(): GatewayError {
  return new GatewayError("upstream_protocol", "The vendor streamed the arguments of a call in an order that is no JSON text.");
}

function literalOf(value: Json): string | undefined {
  if (typeof value["stringValue"] === "string") return JSON.stringify(value["stringValue"]);
  if (typeof value["numberValue"] === "number") return JSON.stringify(value["numberValue"]);
  if (typeof value["boolValue"] === "boolean") return String(value["boolValue"]);
  return Object.hasOwn(value, "nullValue") ? "null" : undefined;
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function samePath(a: readonly Step[], b: readonly Step[]): boolean {
  return a.length === b.length && a.every((step, i) => step === b[i]);
}

/** A normalised path of RFC 9535: `$.a.b[0]["c d"]`. */
function parsePath(path: unknown): readonly Step[] {
  if (typeof path !== "string" || !path.startsWith("$")) throw badPath();
  const steps: Step[] = [];
  const token = /\.([^.[\]]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\['((?:[^'\\]|\\.)*)'\]/gy;
  token.lastIndex = 1;
  while (token.lastIndex < path.length) {
    const match = token.exec(path);
    if (match === null) throw badPath();
    const [, name, place, quoted, single] = match;
    if (name !== undefined) steps.push(name);
    else if (place !== undefined) steps.push(Number(place));
    else steps.push(unquoted(quoted ?? `"${(single as string).replace(/\\'/g, "'").replace(/(?<!\\)"/g, '\\"')}"`));
  }
  if (steps.length === 0 || typeof steps[0] === "number") throw badPath();
  return steps;
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw badPath();
  }
}

function badPath(): GatewayError {
  return new GatewayError("upstream_protocol", "The vendor streamed an argument of a call under a path that is none.");
}
