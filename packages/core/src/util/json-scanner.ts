import { GatewayError } from "../errors/index.js";
import { BracketLevels } from "./json-checks/bracket-levels.js";
import { fromUtf8 } from "./json.js";

/** Nesting that is refused: more than any request or schema needs, and little enough that no later recursion runs out of stack. */
export const maxJsonDepth = 128;

/** What each byte is inside a string: 0 plain, 1 the end, 2 an escape, 3 not allowed, 4 the head of a longer UTF-8 sequence. */
const inString = new Uint8Array(256);
inString.fill(3, 0, 0x20);
inString[0x22] = 1;
inString[0x5c] = 2;
inString.fill(4, 0x80);

/** Plain bytes that are walked one by one before a text counts as long and is leapt over. */
const shortText = 16;

/** The keys that a scan looks for; made once a process. Matching costs one comparison of lengths for nearly every other key. */
export class KeyTable {
  readonly names: readonly string[];
  readonly #byLength: { readonly bytes: Uint8Array; readonly index: number }[][] = [];

  constructor(names: readonly string[]) {
    this.names = names;
    const encoder = new TextEncoder();
    names.forEach((name, index) => {
      const bytes = encoder.encode(name);
      (this.#byLength[bytes.length] ??= []).push({ bytes, index });
    });
    for (let length = 0; length < this.#byLength.length; length++) this.#byLength[length] ??= [];
  }

  /** Index in `names` of the bytes from `start` to `end`, or `JsonScanner.other`. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length >= this.#byLength.length) return JsonScanner.other;
    for (const candidate of this.#byLength[length] as { readonly bytes: Uint8Array; readonly index: number }[]) {
      let i = 0;
      while (i < length && candidate.bytes[i] === bytes[start + i]) i++;
      if (i === length) return candidate.index;
    }
    return JsonScanner.other;
  }
}

/**
 * Walks JSON bytes once, building nothing: the caller enters the objects and lists it cares for and skips the rest. All that is walked or skipped is validated
 * fully (RFC 8259 grammar, UTF-8, depth), so a scan to `finish` accepts exactly what a strict parser accepts up to `maxJsonDepth`. A key written with escapes is
 * matched by what it means.
 * Errors: `invalid_json` with `details.offset`, the byte; nothing of the text.
 */
export class JsonScanner {
  static readonly other = -1;
  static readonly end = -2;

  /** Where the scan stands: after `nextKey` and `nextElement` at the first byte of the value, after `skip` right behind it. */
  pos = 0;
  /** Keys met so far, at every depth. */
  keys = 0;
  /** Where values begin that are nested deeper than `maxJsonDepth`, when those are walked as well; otherwise empty. */
  readonly deepAt: number[] = [];
  readonly #walksDeep: boolean;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #depth = 0;
  /** Just behind an opening bracket: no comma is due. */
  #first = false;
  /** The text walked last holds escapes. */
  #escaped = false;
  /** The buffer as words, made when a long text is met. */
  #words: Int32Array | null = null;

  /** `walksDeep`: what is skipped may be nested as deep as it likes, and `deepAt` says where it is. */
  constructor(bytes: Uint8Array, o: { readonly walksDeep?: boolean } = {}) {
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#walksDeep = o.walksDeep === true;
  }

  /** First byte of the value that follows, after white space; -1 at the end. */
  peek(): number {
    this.pos = this.#space(this.pos);
    return this.pos < this.#end ? (this.#bytes[this.pos] as number) : -1;
  }

  enterObject(): void {
    this.#enter(0x7b, "an object");
  }
  enterArray(): void {
    this.#enter(0x5b, "a list");
  }

  /** The next key of the entered object: its index in the table, `other`, or `end` when the object is closed. The value must be skipped or entered before the next call. */
  nextKey(table: KeyTable): number {
    let i = this.#space(this.pos);
    const bytes = this.#bytes;
    if (i < this.#end && bytes[i] === 0x7d) return this.#leave(i);
    if (this.#first) this.#first = false;
    else i = this.#space(this.#expect(i, 0x2c, "a comma or the object's end"));
    const start = i + 1;
    i = this.#string(i, "a key");
    const key = this.#escaped ? this.#decodedKey(table, start - 1, i) : table.find(bytes, start, i - 1);
    this.keys++;
    this.pos = this.#space(this.#expect(this.#space(i), 0x3a, "a colon"));
    return key;
  }

  /** Whether the entered list has another element, which must then be skipped or entered. */
  nextElement(): boolean {
    const i = this.#space(this.pos);
    if (i < this.#end && this.#bytes[i] === 0x5d) return this.#leave(i) !== JsonScanner.end;
    if (this.#first) {
      this.#first = false;
      this.pos = i;
    } else this.pos = this.#space(this.#expect(i, 0x2c, "a comma or the list's end"));
    return true;
  }

  /** Walks over one whole value, validating it. */
  skip(): void {
    this.pos = this.#value(this.#space(this.pos), this.#depth);
    this.#first = false;
  }

  /** Walks over one whole value: the number that it is, or undefined when it is something else. */
  skipNumber(): number | undefined {
    const first = this.peek();
    const start = this.pos;
    this.skip();
    if (first !== 0x2d && (first < 0x30 || first > 0x39)) return undefined;
    let value = 0;
    for (let i = start; i < this.pos; i++) {
      const digit = (this.#bytes[i] as number) - 0x30;
      // Beyond 15 digits, and with sign, fraction or exponent, the sum would not be exact.
      if (digit < 0 || digit > 9 || i - start === 15) return Number(fromUtf8(this.#bytes.subarray(start, this.pos)));
      value = value * 10 + digit;
    }
    return value;
  }

  /** Only white space may follow. */
  finish(): void {
    this.pos = this.#space(this.pos);
    if (this.pos < this.#end) this.#fail(this.pos, "more follows after the value");
  }

  #enter(open: number, what: string): void {
    this.pos = this.#expect(this.#space(this.pos), open, what);
    if (++this.#depth > maxJsonDepth) this.#tooDeep(this.pos);
    this.#first = true;
  }
  #leave(at: number): number {
    this.#depth--;
    this.#first = false;
    this.pos = at + 1;
    return JsonScanner.end;
  }

  #space(i: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    while (i < end) {
      const c = bytes[i] as number;
      if (c > 0x20) return i;
      if (c !== 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d) return i;
      i++;
    }
    return i;
  }

  #expect(i: number, byte: number, what: string): number {
    if (i >= this.#end || this.#bytes[i] !== byte) this.#fail(i, `${what} is missing`);
    return i + 1;
  }

  #value(i: number, depth: number): number {
    if (i >= this.#end) this.#fail(i, "a value is missing");
    const c = this.#bytes[i] as number;
    switch (c) {
      case 0x22:
        return this.#string(i, "a text");
      case 0x7b:
        return this.#object(i + 1, depth + 1);
      case 0x5b:
        return this.#array(i + 1, depth + 1);
      case 0x74:
        return this.#word(i, "true");
      case 0x66:
        return this.#word(i, "false");
      case 0x6e:
        return this.#word(i, "null");
      default:
        return this.#number(i, c);
    }
  }

  #object(i: number, depth: number): number {
    if (depth > maxJsonDepth) return this.#deep(i - 1);
    const bytes = this.#bytes;
    i = this.#space(i);
    if (i < this.#end && bytes[i] === 0x7d) return i + 1;
    for (;;) {
      i = this.#space(this.#string(i, "a key"));
      this.keys++;
      i = this.#space(this.#expect(i, 0x3a, "a colon"));
      i = this.#space(this.#value(i, depth));
      if (i < this.#end && bytes[i] === 0x7d) return i + 1;
      i = this.#space(this.#expect(i, 0x2c, "a comma or the object's end"));
    }
  }

  #array(i: number, depth: number): number {
    if (depth > maxJsonDepth) return this.#deep(i - 1);
    const bytes = this.#bytes;
    i = this.#space(i);
    if (i < this.#end && bytes[i] === 0x5d) return i + 1;
    for (;;) {
      i = this.#space(this.#value(i, depth));
      if (i < this.#end && bytes[i] === 0x5d) return i + 1;
      i = this.#space(this.#expect(i, 0x2c, "a comma or the list's end"));
    }
  }

  /** An object or list below the last level that is walked by recursion: as strictly, and without running out of stack. */
  #deep(start: number): number {
    if (!this.#walksDeep) this.#tooDeep(start);
    this.deepAt.push(start);
    const bytes = this.#bytes;
    const open = new BracketLevels();
    let i = start;
    for (;;) {
      const c = i < this.#end ? bytes[i] : -1;
      if (c === 0x7b || c === 0x5b) {
        open.push(c === 0x7b);
        i = this.#space(i + 1);
        const isEmpty = i < this.#end && bytes[i] === (c === 0x7b ? 0x7d : 0x5d);
        if (!isEmpty) {
          if (c === 0x7b) i = this.#deepKey(i);
          continue;
        }
      } else i = this.#space(this.#value(i, maxJsonDepth));
      // Behind a value, or before the bracket that closes an empty one.
      while (i < this.#end && bytes[i] === (open.isObject ? 0x7d : 0x5d)) {
        if (open.pop()) return i + 1;
        i = this.#space(i + 1);
      }
      i = this.#space(this.#expect(i, 0x2c, open.isObject ? "a comma or the object's end" : "a comma or the list's end"));
      if (open.isObject) i = this.#deepKey(i);
    }
  }
  #deepKey(i: number): number {
    i = this.#space(this.#string(i, "a key"));
    this.keys++;
    return this.#space(this.#expect(i, 0x3a, "a colon"));
  }

  #string(i: number, what: string): number {
    const bytes = this.#bytes;
    const end = this.#end;
    if (i >= end || bytes[i] !== 0x22) this.#fail(i, `${what} is missing`);
    this.#escaped = false;
    i++;
    for (;;) {
      i = plainBytes(bytes, i, end);
      if (i >= end) return this.#fail(i, "a text does not end");
      const kind = inString[bytes[i] as number];
      if (kind === 1) return i + 1;
      if (kind === 2) i = this.#escape(i);
      else if (kind === 0) i = this.#plainWords(i);
      else if (kind === 4) i = this.#sequence(i);
      else this.#fail(i, "a control character stands in a text");
    }
  }

  /** Leaps over plain ASCII four bytes at a time; a word with a quote, a backslash, a control character or a byte over 0x7f stops it. */
  #plainWords(i: number): number {
    const bytes = this.#bytes;
    const offset = bytes.byteOffset;
    while (((offset + i) & 3) !== 0) {
      if (i >= this.#end || inString[bytes[i] as number] !== 0) return i;
      i++;
    }
    const words = (this.#words ??= new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2));
    const last = (offset + this.#end) >> 2;
    let w = (offset + i) >> 2;
    while (w < last) {
      const x = words[w] as number;
      // A byte of x ^ pattern is zero where it is that character; subtracting 1 then sets its high bit, as subtracting 0x20 does for a control character.
      // A borrow only reaches the byte above one that is flagged already, so it may stop the leap too early, never too late.
      if (((x | (x - 0x20202020) | ((x ^ 0x22222222) - 0x01010101) | ((x ^ 0x5c5c5c5c) - 0x01010101)) & 0x80808080) !== 0) break;
      w++;
    }
    return (w << 2) - offset;
  }

  #escape(i: number): number {
    this.#escaped = true;
    const c = i + 1 < this.#end ? (this.#bytes[i + 1] as number) : 0;
    switch (c) {
      case 0x22: // "
      case 0x5c: // \
      case 0x2f: // /
      case 0x62: // b
      case 0x66: // f
      case 0x6e: // n
      case 0x72: // r
      case 0x74: // t
        return i + 2;
      case 0x75:
        for (let h = i + 2; h < i + 6; h++)
          if (h >= this.#end || !isHex(this.#bytes[h] as number)) this.#fail(h, "an escape is not complete");
        return i + 6;
      default:
        return this.#fail(i, "an escape is unknown");
    }
  }

  /** One UTF-8 sequence of two to four bytes, in its shortest form and no surrogate (RFC 3629 §4). */
  #sequence(i: number): number {
    const bytes = this.#bytes;
    const c = bytes[i] as number;
    let length = 0;
    let low = 0x80;
    let high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) length = 2;
    else if (c >= 0xe0 && c <= 0xef) {
      length = 3;
      if (c === 0xe0) low = 0xa0;
      else if (c === 0xed) high = 0x9f;
    } else if (c >= 0xf0 && c <= 0xf4) {
      length = 4;
      if (c === 0xf0) low = 0x90;
      else if (c === 0xf4) high = 0x8f;
    }
    if (length === 0 || i + length > this.#end) this.#fail(i, "it is not UTF-8");
    const second = bytes[i + 1] as number;
    if (second < low || second > high) this.#fail(i, "it is not UTF-8");
    for (let k = i + 2; k < i + length; k++) if (((bytes[k] as number) & 0xc0) !== 0x80) this.#fail(i, "it is not UTF-8");
    return i + length;
  }

  #word(i: number, word: string): number {
    for (let k = 0; k < word.length; k++)
      if (i + k >= this.#end || this.#bytes[i + k] !== word.charCodeAt(k)) this.#fail(i, "a word is unknown");
    return i + word.length;
  }

  #number(i: number, c: number): number {
    const start = i;
    if (c === 0x2d) i++;
    const first = i;
    i = this.#digits(i);
    if (i === first) this.#fail(start, first === start ? "a value is missing" : "a number has no digits");
    if (i > first + 1 && this.#bytes[first] === 0x30) this.#fail(start, "a number begins with zero");
    if (i < this.#end && this.#bytes[i] === 0x2e) i = this.#someDigits(i + 1);
    if (i < this.#end && ((this.#bytes[i] as number) | 0x20) === 0x65) {
      const sign = i + 1 < this.#end ? this.#bytes[i + 1] : 0;
      i = this.#someDigits(sign === 0x2b || sign === 0x2d ? i + 2 : i + 1);
    }
    return i;
  }
  #digits(i: number): number {
    while (i < this.#end && (this.#bytes[i] as number) >= 0x30 && (this.#bytes[i] as number) <= 0x39) i++;
    return i;
  }
  #someDigits(i: number): number {
    const after = this.#digits(i);
    if (after === i) this.#fail(i, "a number has no digits");
    return after;
  }

  #decodedKey(table: KeyTable, start: number, end: number): number {
    return table.names.indexOf(JSON.parse(fromUtf8(this.#bytes.subarray(start, end))) as string);
  }

  #tooDeep(at: number): never {
    throw new GatewayError("invalid_json", `The JSON is nested deeper than ${maxJsonDepth} levels.`, { details: { offset: at } });
  }
  #fail(at: number, why: string): never {
    throw new GatewayError("invalid_json", `The JSON is not valid: ${why} at byte ${at}.`, {
      hint: "Send one JSON value, complete, encoded as UTF-8.",
      details: { offset: at },
    });
  }
}

/** The first byte from `i` that is not plain, at most `shortText` further. A function of its own because its loop is then compiled to three instructions a byte. */
function plainBytes(bytes: Uint8Array, i: number, end: number): number {
  const kinds = inString;
  const stop = i + shortText < end ? i + shortText : end;
  while (i < stop && kinds[bytes[i] as number] === 0) i++;
  return i;
}

function isHex(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66);
}
