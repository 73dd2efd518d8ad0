import { GatewayError } from "../errors/index.js";

/**
 * A place where one domain calls another without importing it. `gateway.ts` fills it once.
 * Errors: `misconfigured` when it is read before it was filled, or filled twice.
 */
export class Seam<T> {
  #value: T | undefined;
  constructor(readonly name: string) {}

  fill(value: T): void {
    if (this.#value !== undefined) throw new GatewayError("misconfigured", `The seam "${this.name}" was filled twice.`);
    this.#value = value;
  }
  get(): T {
    if (this.#value === undefined)
      throw new GatewayError("misconfigured", `The seam "${this.name}" was called before the gateway filled it.`);
    return this.#value;
  }
}
