/**
 * The most UTF-16 units that a match of an RE2 pattern can have; Infinity when it has no bound, or nobody can say. Never less than the truth: what is not understood is Infinity.
 */
export function longestMatch(pattern: string): number {
  const reader = new Reader(pattern);
  const longest = reader.alternatives();
  return reader.isAtEnd() ? longest : Infinity;
}

/** A character of a pattern may be two units of a text. */
const CHARACTER = 2;

class Reader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  isAtEnd(): boolean {
    return this.#at >= this.#pattern.length;
  }

  alternatives(): number {
    let longest = this.#sequence();
    while (this.#takes("|")) longest = Math.max(longest, this.#sequence());
    return longest;
  }

  #sequence(): number {
    let sum = 0;
    while (!this.isAtEnd() && this.#pattern[this.#at] !== "|" && this.#pattern[this.#at] !== ")") {
      const atom = this.#atom();
      const times = this.#times();
      sum += atom === 0 || times === 0 ? 0 : atom * times;
    }
    return sum;
  }

  #atom(): number {
    const character = this.#pattern[this.#at++]!;
    if (character === "^" || character === "$") return 0;
    if (character === "(") return this.#group();
    if (character === "[") return this.#class();
    if (character === "\\") return this.#escape();
    return CHARACTER;
  }

  #group(): number {
    const opened = /^\?(?::|P?<\w+>|[imsU-]+[:)])/.exec(this.#pattern.slice(this.#at, this.#at + 80));
    if (this.#pattern[this.#at] === "?") {
      if (opened === null) return this.#unknown();
      this.#at += opened[0].length;
      if (opened[0].endsWith(")")) return 0;
    }
    const longest = this.alternatives();
    return this.#takes(")") ? longest : this.#unknown();
  }

  #class(): number {
    this.#takes("^");
    this.#takes("]");
    while (!this.isAtEnd()) {
      const character = this.#pattern[this.#at++];
      if (character === "\\") this.#at++;
      else if (character === "[" && this.#pattern[this.#at] === ":") {
        const end = this.#pattern.indexOf(":]", this.#at);
        if (end < 0) return this.#unknown();
        this.#at = end + 2;
      } else if (character === "]") return CHARACTER;
    }
    return this.#unknown();
  }

  #escape(): number {
    const character = this.#pattern[this.#at++];
    if (character === undefined) return this.#unknown();
    if ("bBAz".includes(character)) return 0;
    if (character === "Q") return this.#unknown();
    const rest = this.#pattern.slice(this.#at, this.#at + 40);
    if (character === "p" || character === "P") this.#at += /^(?:\{\^?\w+\}|\w)/.exec(rest)?.[0].length ?? 0;
    if (character === "x") this.#at += /^(?:\{[0-9a-fA-F]+\}|[0-9a-fA-F]{2})/.exec(rest)?.[0].length ?? 0;
    return CHARACTER;
  }

  #times(): number {
    let times = 1;
    for (;;) {
      const character = this.#pattern[this.#at];
      if (character === "*" || character === "+") times = Infinity;
      else if (character === "{") {
        const range = /^\{(\d+)(,(\d*))?\}/.exec(this.#pattern.slice(this.#at, this.#at + 16));
        if (range === null) return times; // a brace that is a character
        this.#at += range[0].length - 1;
        times *= range[2] === undefined ? Number(range[1]) : range[3] === "" ? Infinity : Number(range[3]);
      } else if (character !== "?") return times;
      this.#at++;
    }
  }

  #takes(character: string): boolean {
    if (this.#pattern[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #unknown(): number {
    this.#at = this.#pattern.length;
    return Infinity;
  }
}
