import { GatewayError } from "../errors/index.js";
import type { Clock, SecretSource } from "../ports/index.js";
import type { Log } from "../util/log.js";
import { Secret } from "../util/secret.js";
import type { Redactor } from "./redactor.js";

export interface ResolverOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly sources: readonly SecretSource[];
}

const WITHIN_MS = 15_000;
const RETRY_MS = 30_000;

/**
 * Gives secrets that stand elsewhere their values, and newer ones while the gateway runs. A source that fails later leaves the last good value and is asked again.
 * Concurrency: `resolveAll` once; `close` ends the refreshing.
 */
export class SecretResolver {
  readonly #o: ResolverOptions;
  readonly #timers = new Map<Secret, () => void>();
  #closed = false;

  constructor(options: ResolverOptions) {
    this.#o = options;
  }

  /** Errors: `misconfigured` for a scheme without a source, and what a source fails with: then no value was set aside to run without. */
  async resolveAll(secrets: readonly Secret[]): Promise<void> {
    const byReference = new Map<string, Secret[]>();
    for (const secret of secrets) {
      const { reference } = secret;
      if (reference === null) this.#o.redactor.add(secret);
      else byReference.set(reference, [...(byReference.get(reference) ?? []), secret]);
    }
    await Promise.all([...byReference].map(([reference, same]) => this.#resolve(reference, same)));
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  async #resolve(reference: string, secrets: readonly Secret[]): Promise<void> {
    const { clock, redactor } = this.#o;
    const at = reference.indexOf(":");
    const source = this.#o.sources.find(({ scheme }) => scheme === reference.slice(0, at));
    if (source === undefined)
      throw new GatewayError("misconfigured", `Nothing here reads secrets of the form ${reference.slice(0, at)}:….`, {
        hint: `Known are ${this.#o.sources.map(({ scheme }) => `${scheme}:`).join(", ")}; more are given in code: secretSources.`,
      });
    const { value, refreshAtMs } = await source.resolve(reference.slice(at + 1), { deadlineMs: clock.now() + WITHIN_MS });
    redactor.add(value);
    for (const secret of secrets) secret.resolveTo(value);
    if (refreshAtMs !== null) this.#refreshAt(refreshAtMs, reference, secrets);
  }

  #refreshAt(atMs: number, reference: string, secrets: readonly Secret[]): void {
    if (this.#closed) return;
    const again = (): void => {
      this.#resolve(reference, secrets).catch((error: unknown) => {
        this.#o.log.warn("a secret could not be read again; the last value stays", { reference, code: GatewayError.from(error).code });
        this.#refreshAt(this.#o.clock.now() + RETRY_MS, reference, secrets);
      });
    };
    this.#timers.set(secrets[0]!, this.#o.clock.at(atMs, again));
  }
}

/** Every Secret in a value, at any depth. */
export function secretsIn(value: unknown): Secret[] {
  if (value instanceof Secret) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}
