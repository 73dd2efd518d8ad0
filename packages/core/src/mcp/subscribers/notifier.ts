import type { Caller } from "../../calls/index.js";
import type { Clock } from "../../ports/index.js";
import { fullName, shows, type View } from "../catalogue/view.js";
import { readMessage, stringMember, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";
import type { ListKind } from "../upstream/list-entries.js";

/** Changes that come close together are told once. */
const QUIET_MS = 50;

/** What a change of lists is announced as: templates count as resources. */
export type ListName = "tools" | "resources" | "prompts";

/** Somebody who is told of changes: a session, or a listen stream. */
export interface Subscriber {
  readonly view: View;
  /** As it came last. */
  readonly caller: Caller;
  readonly callerId: string;
  listChanged(list: ListName): void;
  watching(server: string, uri: string): boolean;
  /** Of a resource that it watches. */
  resourceUpdated(server: string, uri: string, notice: RpcMessage): void;
  logged(notice: RpcMessage): void;
}

/** Whether a caller may use a resource, by its full name, now: it may have begun to watch it when it could. */
export type MayUse = (caller: Caller, name: string) => boolean;

/** Whose connections and lists a caller's are, at servers where each caller has its own. */
export type PrincipalOf = (caller: Caller) => string;

/** Whether somebody looks at what a server says to a caller. */
export type LooksAt = (caller: Caller, server: string) => boolean;

export interface NotifierOptions {
  readonly clock: Clock;
  readonly mayUse: MayUse;
  readonly looksAt: LooksAt;
  readonly principalOf: PrincipalOf;
}
interface Changed {
  readonly server: string;
  /** undefined: everybody's list. */
  readonly whose: string | undefined;
  /** Which change it was. */
  readonly change: number;
}

/** Passes on what servers say unasked, to those who look at the server; what is one principal's, to that one alone (T16). */
export class Notifier {
  readonly #o: NotifierOptions;
  /** Each with how many changes there had been when it came: it has not seen those lists that were changed before. */
  readonly #subscribers = new Map<Subscriber, number>();
  /** By list, then by server and whose it is. */
  readonly #changed = new Map<ListName, Map<string, Changed>>();
  #changes = 0;
  #cancelTimer: (() => void) | null = null;

  constructor(options: NotifierOptions) {
    this.#o = options;
  }

  add(subscriber: Subscriber): () => void {
    this.#subscribers.set(subscriber, this.#changes);
    return () => void this.#subscribers.delete(subscriber);
  }

  /** `whose`: the one principal that is shown it; left out: everybody. */
  listChanged(server: string, kind: ListKind, whose?: string): void {
    const list = kind === "resourceTemplates" ? "resources" : kind;
    const changed = this.#changed.get(list) ?? new Map<string, Changed>();
    this.#changed.set(list, changed.set(`${server}\n${whose ?? ""}`, { server, whose, change: ++this.#changes }));
    const { clock } = this.#o;
    this.#cancelTimer ??= clock.at(clock.now() + QUIET_MS, () => this.#tell());
  }

  /** `whose`: the one principal whose connection said it; left out: everybody's. Whoever looks at what the server says sees none of what stands beside the address. */
  resourceUpdated(server: string, notice: RpcMessage, whose?: string): void {
    const uri = stringMember(notice.bytes, notice.params, "uri");
    if (uri === null) return;
    const name = fullName(server, uri);
    // First what rules most of them out and costs least.
    for (const subscriber of this.#subscribers.keys())
      if (
        subscriber.watching(server, uri) &&
        shows(subscriber.view, server) &&
        this.#isOf(subscriber, whose) &&
        this.#o.mayUse(subscriber.caller, name)
      )
        subscriber.resourceUpdated(server, uri, this.#o.looksAt(subscriber.caller, server) ? bareUpdate(uri) : notice);
  }

  /** Nobody knows which call it belongs to: whoever looks at what the server says sees none of it, and so it does not pass. */
  logged(server: string, owner: string, notice: RpcMessage): void {
    for (const subscriber of this.#subscribers.keys())
      if (subscriber.callerId === owner && shows(subscriber.view, server) && !this.#o.looksAt(subscriber.caller, server))
        subscriber.logged(notice);
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
        if ([...servers.values()].some((changed) => changed.change > since && this.#concerns(subscriber, changed)))
          subscriber.listChanged(list);
  }

  #concerns(subscriber: Subscriber, { server, whose }: Changed): boolean {
    return shows(subscriber.view, server) && this.#isOf(subscriber, whose);
  }
  #isOf({ caller }: Subscriber, whose: string | undefined): boolean {
    return whose === undefined || this.#o.principalOf(caller) === whose;
  }
}

function bareUpdate(uri: string): RpcMessage {
  const text = `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":${JSON.stringify(uri)}}}`;
  return readMessage(utf8(text), upstreamPlan);
}
