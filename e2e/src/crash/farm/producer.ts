import { GatewayError, type Gateway, type TaskRow } from "@sallyport/core";
import type { Accepted } from "../check/recorded.js";

export interface TaskShape {
  readonly type?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly ends?: "succeeded" | "dead";
  readonly leaseMs?: number;
  readonly maxAttempts?: number;
  readonly priority?: number;
  readonly delayMs?: number;
}

/** The lease of the harness: what a killed worker held is free again after it. */
export const LEASE_MS = 1500;
const AGAIN_MS = 50;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Gives tasks to the gateway of this process and keeps a record of what was accepted. */
export class Producer {
  readonly accepted: Accepted[] = [];
  readonly unknown = new Set<string>();
  /** Creations that were refused and asked for again. */
  refusals = 0;
  readonly #gateway: Gateway;
  readonly #name: string;
  #made = 0;
  #going = false;
  #loop: Promise<unknown> = Promise.resolve();

  constructor(gateway: Gateway, name = "p") {
    this.#gateway = gateway;
    this.#name = name;
  }

  /** One task. With a key it is asked for until it is accepted, as an honest client does; without one it is asked for once, and null when no answer came. */
  async create(shape: TaskShape = {}, o: { readonly keyed?: boolean } = {}): Promise<TaskRow | null> {
    const key = o.keyed === false ? null : `${this.#name}:${++this.#made}`;
    const { type = "work", payload = {}, ends = "succeeded", leaseMs = LEASE_MS, maxAttempts = 1000, priority, delayMs } = shape;
    for (;;) {
      const askedAtMs = Date.now();
      try {
        const row = await this.#gateway.tasks.create({
          ...{ type, payload, leaseMs, maxAttempts, backoffMs: 20 },
          ...(key === null ? {} : { idempotencyKey: key }),
          ...(priority === undefined ? {} : { priority }),
          ...(delayMs === undefined ? {} : { delayMs }),
        });
        this.accepted.push({ id: row.id, key, ends, type, askedAtMs, acceptedAtMs: Date.now() });
        return row;
      } catch (error) {
        this.refusals++;
        if (!GatewayError.is(error)) throw error;
        if (key === null) return null;
        await pause(AGAIN_MS);
      }
    }
  }

  /** Some of every kind, `perSecond` of them until `stop`. At most `most` wait for their answer at once. */
  start(o: { readonly perSecond: number; readonly most?: number }): void {
    this.#going = true;
    const open = new Set<Promise<unknown>>();
    this.#loop = (async () => {
      for (let n = 0; this.#going; n++) {
        if (open.size < (o.most ?? 64)) {
          const one: Promise<unknown> = this.create(shapeOf(n)).finally(() => open.delete(one));
          open.add(one);
        }
        await pause(1000 / o.perSecond);
      }
      await Promise.all(open);
    })();
  }

  /** Resolves when all that was asked for is accepted, and one more: each fault that is over has one after it. */
  async stop(): Promise<void> {
    this.#going = false;
    await this.#loop;
    await this.create();
  }
}

/** Most simply succeed; some fail at first, some never can. */
function shapeOf(n: number): TaskShape {
  if (n % 20 === 7) return { payload: { fails: 1 } };
  if (n % 50 === 13) return { payload: { dead: true }, ends: "dead" };
  return {};
}
