/** Which of the brackets that are open is an object's, one bit for each. */
export class BracketLevels {
  #bits = new Uint8Array(64);
  #depth = 0;
  isObject = false;

  push(isObject: boolean): void {
    const at = this.#depth++;
    if (at >> 3 >= this.#bits.length) {
      const more = new Uint8Array(this.#bits.length * 2);
      more.set(this.#bits);
      this.#bits = more;
    }
    const bit = 1 << (at & 7);
    this.#bits[at >> 3] = isObject ? this.#bits[at >> 3]! | bit : this.#bits[at >> 3]! & ~bit;
    this.isObject = isObject;
  }
  /** Whether that was the last. */
  pop(): boolean {
    const last = --this.#depth - 1;
    this.isObject = last >= 0 && (this.#bits[last >> 3]! & (1 << (last & 7))) !== 0;
    return last < 0;
  }
}
