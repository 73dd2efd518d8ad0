import type { Bus } from "../ports/index.js";

interface Subscription {
  readonly onHint: (ids: readonly string[]) => void;
  active: boolean;
}

/** A subscriber that throws must neither fail the publisher nor keep the news from the others. */
function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // A hint is no news: whoever missed it reads the store.
  }
}

class MemoryBus implements Bus {
  readonly #topics = new Map<string, Set<Subscription>>();

  async publish(topic: string, ids: readonly string[]): Promise<void> {
    const subscriptions = this.#topics.get(topic);
    if (subscriptions === undefined) return;
    const sent = [...ids];
    for (const subscription of [...subscriptions])
      queueMicrotask(() => {
        if (subscription.active) quietly(() => subscription.onHint(sent));
      });
  }

  async subscribe(topic: string, onHint: (ids: readonly string[]) => void, onGap: () => void): Promise<() => Promise<void>> {
    const subscription: Subscription = { onHint, active: true };
    const subscriptions = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, subscriptions.add(subscription));
    queueMicrotask(() => {
      if (subscription.active) quietly(onGap);
    });
    return async () => {
      subscription.active = false;
      subscriptions.delete(subscription);
      if (subscriptions.size === 0 && this.#topics.get(topic) === subscriptions) this.#topics.delete(topic);
    };
  }
}

/** A bus within this process: hints arrive after the turn that published them, and a subscription begins with one `onGap`. */
export function memoryBus(): Bus {
  return new MemoryBus();
}
