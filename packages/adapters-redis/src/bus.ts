import type { Bus, Clock } from "@sallyport/core/ports";
import type { Client, ConnectionSettings } from "./connection/client.js";
import { Connection } from "./connection/connection.js";
import type { Link } from "./connection/link.js";
import type { KeySpace } from "./key-space.js";

interface Subscription {
  readonly onHint: (ids: readonly string[]) => void;
  readonly onGap: () => void;
  isActive: boolean;
}
interface Topic {
  readonly channel: string;
  readonly listener: (message: string) => void;
  readonly subscriptions: Set<Subscription>;
}
export interface BusOptions {
  readonly make: (o: ConnectionSettings) => Client;
  readonly link: Link;
  readonly clock: Clock;
  readonly keys: KeySpace;
}

/** How often the connection of the subscriptions is asked whether it still is one. */
const PING_MS = 2_000;
/** How long a subscriber waits for the server to have noted it: then it hears of it by its gap. */
const NOTED_MS = 1_000;
const PUBLISH_MS = 1_000;
const MAX_MESSAGE = 1_000_000;

/** Pub/sub on a connection of its own. Who subscribes while the server is away hears of the gap when it is back. */
export class RedisBus implements Bus {
  readonly #o: BusOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #connection: Connection;
  readonly #waiting = new Set<() => void>();

  constructor(options: BusOptions) {
    this.#o = options;
    this.#connection = new Connection({
      make: options.make,
      pingMs: PING_MS,
      onReady: () => void this.#beginAll(),
      onLost: () => undefined,
    });
  }

  async publish(topic: string, ids: readonly string[]): Promise<void> {
    const message = JSON.stringify(ids);
    const channel = this.#channelOf(topic);
    await this.#o.link.ask({ deadlineMs: this.#o.clock.now() + PUBLISH_MS }, (send) => send(["PUBLISH", channel, message]));
  }

  async subscribe(topic: string, onHint: Subscription["onHint"], onGap: () => void): Promise<() => Promise<void>> {
    const subscription: Subscription = { onHint, onGap, isActive: true };
    const kept = this.#topics.get(topic);
    const at = kept ?? this.#newTopic(topic);
    at.subscriptions.add(subscription);
    const { client } = this.#connection;
    if (client !== null) {
      await soon(this.#begin(client, at));
      queueMicrotask(() => tell(subscription, onGap));
    } else if (this.#o.link.away === null) await soon(new Promise<void>((resolve) => this.#waiting.add(resolve)));
    return async () => {
      subscription.isActive = false;
      at.subscriptions.delete(subscription);
      if (at.subscriptions.size > 0 || this.#topics.get(topic) !== at) return;
      this.#topics.delete(topic);
      // Nobody here listens any more: there is nothing to wait for. Only this listener: the topic may have a new one before the server has answered.
      this.#connection.client?.unsubscribe(at.channel, at.listener).catch(() => undefined);
    };
  }

  close(): void {
    this.#topics.clear();
    this.#connection.close();
  }

  #channelOf(topic: string): string {
    return this.#o.keys.single("bus", topic);
  }

  #newTopic(name: string): Topic {
    const subscriptions = new Set<Subscription>();
    const listener = (message: string): void => {
      const ids = idsOf(message);
      if (ids !== null) for (const one of [...subscriptions]) tell(one, () => one.onHint(ids));
    };
    const topic = { channel: this.#channelOf(name), listener, subscriptions };
    this.#topics.set(name, topic);
    return topic;
  }

  async #beginAll(): Promise<void> {
    const { client } = this.#connection;
    if (client === null) return;
    for (const topic of [...this.#topics.values()]) {
      await this.#begin(client, topic);
      for (const one of [...topic.subscriptions]) tell(one, one.onGap);
    }
    for (const waiting of [...this.#waiting]) waiting();
    this.#waiting.clear();
  }

  /** The same again is no second subscription. A failure is one of the connection, which will begin again. */
  async #begin(client: Client, topic: Topic): Promise<void> {
    await client.subscribe(topic.channel, topic.listener).catch(() => undefined);
  }
}

/** It, or a while. */
async function soon(what: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([what, new Promise((resolve) => (timer = setTimeout(resolve, NOTED_MS)))]);
  clearTimeout(timer);
}

/** A subscriber that throws keeps nothing from the others. */
function tell(subscription: Subscription, call: () => void): void {
  if (!subscription.isActive) return;
  try {
    call();
  } catch {
    // A hint is no news: whoever missed it reads the store.
  }
}

/** null: it is no message of ours. */
function idsOf(message: string): readonly string[] | null {
  if (message.length > MAX_MESSAGE) return null;
  try {
    const ids: unknown = JSON.parse(message);
    return Array.isArray(ids) && ids.every((id) => typeof id === "string") ? (ids as string[]) : null;
  } catch {
    return null;
  }
}
