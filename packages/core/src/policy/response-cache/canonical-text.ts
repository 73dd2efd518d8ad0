/**
 * Valid JSON in one form: no white space, the members of each object in the order of their names, and of the outermost object those left out whose names are given. Texts and numbers stay as they
 * were written, so that no two values become one (`1e400`, integers past 2^53, a name given twice). Errors: a SyntaxError for what is no JSON; it does not look for all that is wrong.
 */
export function canonicalText(json: string, without: ReadonlySet<string>): string {
  return new Reader(json).whole(without);
}

/** An opening quote, and behind it the name as it was written. */
interface Member {
  readonly name: string;
  readonly text: string;
}

class Reader {
  readonly #json: string;
  #at = 0;

  constructor(json: string) {
    this.#json = json;
  }

  whole(without: ReadonlySet<string>): string {
    const text = this.#value(without);
    this.#space();
    if (this.#at < this.#json.length) throw new SyntaxError("text behind the value");
    return text;
  }

  #value(without: ReadonlySet<string> | null): string {
    this.#space();
    switch (this.#json[this.#at]) {
      case "{":
        return this.#object(without);
      case "[":
        return this.#list();
      case '"':
        return this.#text();
      default:
        return this.#word();
    }
  }

  #object(without: ReadonlySet<string> | null): string {
    const members: Member[] = [];
    this.#at++;
    this.#space();
    if (this.#json[this.#at] === "}") this.#at++;
    else
      do {
        this.#space();
        const name = this.#text();
        this.#expect(":");
        const text = this.#value(null);
        if (without === null || !without.has(JSON.parse(name) as string)) members.push({ name, text });
      } while (this.#goesOn("}"));
    members.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return `{${members.map(({ name, text }) => `${name}:${text}`).join(",")}}`;
  }

  #list(): string {
    const items: string[] = [];
    this.#at++;
    this.#space();
    if (this.#json[this.#at] === "]") this.#at++;
    else
      do items.push(this.#value(null));
      while (this.#goesOn("]"));
    return `[${items.join(",")}]`;
  }

  #text(): string {
    const json = this.#json;
    const from = this.#at;
    if (json[from] !== '"') throw new SyntaxError("a text was expected");
    for (let end = json.indexOf('"', from + 1); end >= 0; end = json.indexOf('"', end + 1)) {
      let slashes = 0;
      while (json[end - 1 - slashes] === "\\") slashes++;
      if (slashes % 2 === 1) continue;
      this.#at = end + 1;
      return json.substring(from, this.#at);
    }
    throw new SyntaxError("a text has no end");
  }

  #word(): string {
    const from = this.#at;
    while (this.#at < this.#json.length && !/[\s,\]}]/.test(this.#json[this.#at]!)) this.#at++;
    if (this.#at === from) throw new SyntaxError("a value was expected");
    return this.#json.substring(from, this.#at);
  }

  /** Behind a value: a comma, or the end. */
  #goesOn(end: string): boolean {
    this.#space();
    const found = this.#json[this.#at++];
    if (found === end) return false;
    if (found === ",") return true;
    throw new SyntaxError("a comma was expected");
  }

  #expect(mark: string): void {
    this.#space();
    if (this.#json[this.#at++] !== mark) throw new SyntaxError(`${mark} was expected`);
  }

  #space(): void {
    for (;;) {
      const code = this.#json.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }
}
