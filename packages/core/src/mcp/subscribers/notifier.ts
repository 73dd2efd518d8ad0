import type { Clock } from "../../ports/index.js";
import { shows, type View } from "../catalogue/view.js";
import { stringMember, type RpcMessage } from "../frames/message.js";
import type { ListKind } from "../upstream/list-entries.js";

/** Changes that come close together are told once. */
const QUIET_MS = 50;

/** What a change of lists is announced as: templates count as resources. */
export type ListName = "tools" | "resources" | "prompts";

/** Somebody who is told of changes: a session, or a listen stream. */
export interface Subscriber {
  readonly view: View;
  readonly callerId: string;
  listChanged(list: ListName): void;
  resourceUpdated(server: string, uri: string, notice: RpcMessage): void;
  logged(notice: RpcMessage): void;
}

/** Passes on what servers say unasked, to those who look at the server. */
export class Notifier {
  readonly #clock: Clock;
  /** Each with how many changes there had been when it came: it has not seen those lists that were changed before. */
  readonly #subscribers = new Map<Subscriber, number>();
  /** By list, then by server: which change it was. */
  readonly #changed = new Map<ListName, Map<string, number>>();
  #changes = 0;
  #cancelTimer: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(subscriber: Subscriber): () => void {
    this.#subscribers.set(subscriber, this.#changes);
    return () => void this.#subscribers.delete(subscriber);
  }

  listChanged(server: string, kind: ListKind): void {
    const list = kind === "resourceTemplates" ? "resources" : kind;
    const servers = this.#changed.get(list) ?? new Map<string, number>();
    this.#changed.set(list, servers.set(server, ++this.#changes));
    this.#cancelTimer ??= this.#clock.at(this.#clock.now() + QUIET_MS, () => this.#tell());
  }

  resourceUpdated(server: string, notice: RpcMessage): void {
    const uri = stringMember(notice.bytes, notice.params, "uri");
    if (uri === null) return;
    for (const subscriber of this.#subscribers.keys()) if (shows(subscriber.view, server)) subscriber.resourceUpdated(server, uri, notice);
  }

  logged(server: string, owner: string, notice: RpcMessage): void {
    for (const subscriber of this.#subscribers.keys())
      if (subscriber.callerId === owner && shows(subscriber.view, server)) subscriber.logged(notice);
  }

  close(): void {
    this.#cancelTimer?.();
    this.#subscribers.clear();
  }

  #tell(): void {
    this.#cancelTimer = null;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const [list, servers] of changed)
      for (const [subscriber, since] of this.#subscribers)
        if ([...servers].some(([server, change]) => change > since && shows(subscriber.view, server))) subscriber.listChanged(list);
  }
}
