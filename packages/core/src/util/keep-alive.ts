/**
 * Keeps the process alive while something is under way that nothing else would keep it alive for: the timers of a `Clock` do not. Counted; costs a timer only when the count leaves zero.
 */
export class KeepAlive {
  #count = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  acquire(): void {
    if (this.#count++ === 0) this.#timer = setInterval(() => undefined, 1 << 30);
  }
  release(): void {
    if (--this.#count > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
