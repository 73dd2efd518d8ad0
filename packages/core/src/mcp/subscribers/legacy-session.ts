import type { Caller } from "../../calls/index.js";
import type { Clock } from "../../ports/index.js";
import type { ClientCapabilities } from "../bridge/question.js";
import { SessionQuestions, type Elsewhere } from "../bridge/session-questions.js";
import { outerUri, type View } from "../catalogue/view.js";
import { member, type RpcMessage } from "../frames/message.js";
import { replaceWith, splice, utf8 } from "../frames/splice.js";
import { SseStream } from "../frames/sse-stream.js";
import type { ListName, Subscriber } from "./notifier.js";
import { passesFilter } from "../downstream/relay.js";
import type { LogFilter } from "../downstream/request.js";
import type { Watches } from "./watches.js";

/** Notices kept for a stream that is away; list changes count once each. */
const MAX_WAITING = 100;

export interface SessionOptions {
  readonly id: string;
  readonly caller: Caller;
  readonly view: View;
  readonly version: string;
  /** What its client can be asked. */
  readonly capabilities: ClientCapabilities;
  /** Answers that reach other processes; null: there are none. */
  readonly elsewhere: Elsewhere | null;
  readonly watches: Watches;
  readonly clock: Clock;
}

/**
 * One session of a client up to 2025-11-25: what it asked to hear, what runs for it, and its standing stream. It belongs to the caller that opened it and to the address
 * where it was opened. What is said while the stream is away waits for it, within bounds.
 */
export class LegacySession implements Subscriber {
  readonly id: string;
  readonly view: View;
  readonly callerId: string;
  /** As it came last. */
  caller: Caller;
  /** The version of its row that was taken in; null: it has none, and is of this process alone. */
  row: { version: number; cancelled: number } | null = null;
  readonly version: string;
  readonly watches: Watches;
  readonly questions: SessionQuestions;
  logs: LogFilter = "all";
  lastUsedMs: number;
  readonly #clock: Clock;
  /** Requests under way by their id's JSON text, so that they can be cancelled. */
  readonly #running = new Map<string, AbortController>();
  readonly #waiting = new Map<string, Uint8Array>();
  #stream: SseStream | null = null;
  #count = 0;
  #asksForLogs = false;

  constructor(o: SessionOptions) {
    this.id = o.id;
    this.view = o.view;
    this.callerId = o.caller.id;
    this.caller = o.caller;
    this.version = o.version;
    this.watches = o.watches;
    const { capabilities, elsewhere } = o;
    this.questions = new SessionQuestions({ capabilities, elsewhere, standing: (message) => this.#tell(message) });
    this.#clock = o.clock;
    this.lastUsedMs = o.clock.now();
  }

  get isBusy(): boolean {
    return this.#stream !== null || this.#running.size > 0;
  }

  get logLevel(): number | null {
    return typeof this.logs === "object" && this.#asksForLogs ? this.logs.least : null;
  }

  setLogs(least: number): void {
    this.#asksForLogs = true;
    this.logs = { least };
  }

  /** A signal for a request, aborted with the outer one or when the client cancels the id. Call `end` when it is answered. */
  begin(id: string, outer: AbortSignal): { readonly signal: AbortSignal; readonly end: () => void } {
    const controller = new AbortController();
    const abort = () => controller.abort(outer.reason);
    if (outer.aborted) abort();
    else outer.addEventListener("abort", abort, { once: true });
    this.#running.set(id, controller);
    return {
      signal: controller.signal,
      end: () => {
        outer.removeEventListener("abort", abort);
        if (this.#running.get(id) === controller) this.#running.delete(id);
      },
    };
  }

  /** False: no request of this id is under way in this process. */
  cancel(id: string): boolean {
    const running = this.#running.get(id);
    running?.abort();
    return running !== undefined;
  }

  /** The standing stream; a new one takes the place of one that may be dead without anybody's having noticed. */
  open(): SseStream {
    this.#stream?.end();
    const stream = new SseStream(this.#clock, () => this.detach(stream));
    this.#stream = stream;
    for (const bytes of this.#waiting.values()) stream.push(bytes);
    this.#waiting.clear();
    return stream;
  }
  detach(stream: SseStream): void {
    stream.end();
    if (this.#stream === stream) this.#stream = null;
  }

  listChanged(list: ListName): void {
    this.#say(list, utf8(`{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"}`));
  }
  watching(server: string, uri: string): boolean {
    return this.watches.has(server, uri);
  }
  resourceUpdated(server: string, uri: string, notice: RpcMessage): void {
    const outer = outerUri(this.view, server, uri);
    this.#say(`uri ${outer}`, splice(notice.bytes, [replaceWith(member(notice.params, "uri")!, JSON.stringify(outer))]));
  }
  logged(notice: RpcMessage): void {
    if (this.#asksForLogs && passesFilter(notice, this.logs)) this.#say(`log ${this.#count++}`, notice.bytes);
  }

  close(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.questions.close();
    this.#stream?.end();
    this.#stream = null;
    this.watches.clear();
  }

  /** What is of use only now. */
  #tell(bytes: Uint8Array): boolean {
    this.#stream?.push(bytes);
    return this.#stream !== null && !this.#stream.ended;
  }

  #say(key: string, bytes: Uint8Array): void {
    if (this.#stream !== null) return this.#stream.push(bytes);
    this.#waiting.delete(key);
    if (this.#waiting.size >= MAX_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
    this.#waiting.set(key, bytes);
  }
}
