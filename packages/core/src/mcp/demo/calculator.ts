import { GatewayError } from "../../errors/index.js";

const MAX_LENGTH = 1_000;
const MAX_DEPTH = 100;

/**
 * The value of an arithmetic expression: numbers, + - * / % ^ (power, binds right), parentheses, sqrt abs round floor ceil min max sin cos tan ln log10 exp, pi and e.
 * A parser of its own: nothing is ever run as code. Errors: `validation_failed` saying what was expected where; also for a result that is not a finite number.
 */
export function calculate(expression: string): number {
  if (expression.length > MAX_LENGTH) throw invalid(`The expression is longer than ${MAX_LENGTH} characters.`);
  const value = new Parser(expression).whole();
  if (!Number.isFinite(value)) throw invalid("The result is not a finite number (a division by zero?).");
  return value;
}

const constants: ReadonlyMap<string, number> = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
]);
const functions: ReadonlyMap<string, { readonly fn: (...values: number[]) => number; readonly arity: number | "any" }> = new Map([
  ["sqrt", { fn: Math.sqrt, arity: 1 }],
  ["abs", { fn: Math.abs, arity: 1 }],
  ["round", { fn: Math.round, arity: 1 }],
  ["floor", { fn: Math.floor, arity: 1 }],
  ["ceil", { fn: Math.ceil, arity: 1 }],
  ["sin", { fn: Math.sin, arity: 1 }],
  ["cos", { fn: Math.cos, arity: 1 }],
  ["tan", { fn: Math.tan, arity: 1 }],
  ["ln", { fn: Math.log, arity: 1 }],
  ["log10", { fn: Math.log10, arity: 1 }],
  ["exp", { fn: Math.exp, arity: 1 }],
  ["min", { fn: Math.min, arity: "any" }],
  ["max", { fn: Math.max, arity: "any" }],
]);

function invalid(message: string): GatewayError {
  return new GatewayError("validation_failed", message);
}

/** Recursive descent, one method a level of precedence. */
class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  constructor(text: string) {
    this.#text = text;
  }

  whole(): number {
    const value = this.#sum();
    if (this.#peek() !== "") throw this.#expected("an operator or the end");
    return value;
  }

  #sum(): number {
    let value = this.#product();
    for (;;) {
      if (this.#take("+")) value += this.#product();
      else if (this.#take("-")) value -= this.#product();
      else return value;
    }
  }

  #product(): number {
    let value = this.#signed();
    for (;;) {
      if (this.#take("*")) value *= this.#signed();
      else if (this.#take("/")) value /= this.#signed();
      else if (this.#take("%")) value %= this.#signed();
      else return value;
    }
  }

  #signed(): number {
    if (++this.#depth > MAX_DEPTH) throw invalid(`The expression is nested deeper than ${MAX_DEPTH} levels.`);
    const value = this.#take("-") ? -this.#signed() : this.#take("+") ? this.#signed() : this.#power();
    this.#depth--;
    return value;
  }

  #power(): number {
    const base = this.#atom();
    return this.#take("^") ? base ** this.#signed() : base;
  }

  #atom(): number {
    if (this.#take("(")) {
      const value = this.#sum();
      if (!this.#take(")")) throw this.#expected('")"');
      return value;
    }
    const number = this.#match(/(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y);
    if (number !== null) return Number(number);
    const name = this.#match(/[a-z][a-z0-9]*/iy)?.toLowerCase();
    if (name === undefined) throw this.#expected("a number");
    const constant = constants.get(name);
    return constant ?? this.#call(name);
  }

  #call(name: string): number {
    const known = functions.get(name);
    if (known === undefined) throw invalid(`"${name}" is not known; there are ${[...constants.keys(), ...functions.keys()].join(", ")}.`);
    if (!this.#take("(")) throw this.#expected(`"(" after ${name}`);
    const values = [this.#sum()];
    while (this.#take(",")) values.push(this.#sum());
    if (!this.#take(")")) throw this.#expected('")"');
    if (known.arity !== "any" && values.length !== known.arity) throw invalid(`${name} takes ${known.arity} value, not ${values.length}.`);
    return known.fn(...values);
  }

  #peek(): string {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text[this.#at] ?? "";
  }
  #take(symbol: string): boolean {
    if (this.#peek() !== symbol) return false;
    this.#at++;
    return true;
  }
  #match(pattern: RegExp): string | null {
    this.#peek();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#at += found[0].length;
    return found[0];
  }
  #expected(what: string): GatewayError {
    const found = this.#peek();
    return invalid(`Expected ${what} at position ${this.#at + 1}, found ${found === "" ? "the end" : JSON.stringify(found)}.`);
  }
}
