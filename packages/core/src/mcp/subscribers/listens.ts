import type { Caller, HttpAnswer } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { lasting, outerUri, type View } from "../catalogue/view.js";
import { member, valueMember, type RpcMessage } from "../frames/message.js";
import { META } from "../frames/protocol.js";
import { replaceWith, splice, utf8, rebuild, insertMembers } from "../frames/splice.js";
import { SseStream } from "../frames/sse-stream.js";
import type { ListName, Notifier, Subscriber } from "./notifier.js";
import type { RpcCall } from "../downstream/request.js";
import { errorBytes, rpcError, STREAM_HEADERS, serverInfoMember } from "../downstream/respond.js";
import { refuseUndeclaredTasks, type TaskCalls } from "../downstream/task-calls.js";
import { Watches, type AssertSayable } from "./watches.js";

const MAX_STREAMS = 1_024;
const MAX_STREAMS_OF_ONE = 128;
/** Of one stream. */
const MAX_TASKS = 100;
const lists = ["tools", "prompts", "resources"] as const;

export interface ListensOptions {
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly notifier: Notifier;
  readonly version: string;
  readonly tasks: TaskCalls;
  readonly assertSayable: AssertSayable;
}

interface Asked {
  readonly lists: ReadonlySet<ListName>;
  readonly uris: readonly string[];
  readonly taskIds: readonly string[];
}
/** What of it is had. */
type Honoured = Pick<Asked, "uris" | "taskIds">;

/**
 * `subscriptions/listen` of 2026-07-28: one stream for a client, fed by all servers that it sees. What cannot be had is left out of the acknowledgement, and the rest is
 * had.
 */
export class Listens {
  readonly #o: ListensOptions;
  /** How each is ended, and whose it is. */
  readonly #open = new Map<() => void, string>();
  constructor(options: ListensOptions) {
    this.#o = options;
  }

  /** Errors: `validation_failed`, `overloaded`. */
  async open(rpc: RpcCall): Promise<HttpAnswer> {
    if (!rpc.takesStream)
      throw new GatewayError(
        "unsupported_feature",
        "subscriptions/listen is answered with text/event-stream, which the Accept header does not name.",
      );
    const asked = readFilter(rpc.message);
    if (asked.taskIds.length > 0) refuseUndeclaredTasks(rpc);
    this.#refuseTooMany(rpc.o.caller.id);
    const watches = new Watches({ ...this.#o, view: lasting(rpc.view) });
    const uris = await watchAll(watches, asked.uris, rpc);
    const over = new AbortController();
    const stream = new SseStream(this.#o.clock, () => close());
    const forget = this.#o.notifier.add(new ListenSubscriber({ rpc, asked, watches, stream }));
    const close = () => {
      this.#open.delete(finish);
      over.abort();
      rpc.o.signal.removeEventListener("abort", revoked);
      forget();
      watches.clear();
      stream.end();
    };
    // The end that we choose is told; one that the client chose is not.
    const finish = () => {
      stream.push(
        utf8(
          `{"jsonrpc":"2.0","id":${rpc.id},"result":{"resultType":"complete","_meta":{${subscriptionMember(rpc.id)},${serverInfoMember(this.#o.version)}}}}`,
        ),
      );
      close();
    };
    this.#open.set(finish, rpc.o.caller.id);
    // Nor does a stream outlive what its caller came in with.
    const revoked = () => {
      stream.push(errorBytes(rpc.id, rpcError(rpc.o.signal.reason, rpc.o.requestId)));
      close();
    };
    if (rpc.o.signal.aborted) revoked();
    else rpc.o.signal.addEventListener("abort", revoked, { once: true });
    // The acknowledgement comes first, and needs to know which tasks there are.
    const early: Uint8Array[] = [];
    let put = (bytes: Uint8Array): void => void early.push(bytes);
    const push = (task: string): void => put(taskNotice(rpc.id, task));
    const isThere = await Promise.all(asked.taskIds.map((taskId) => this.#o.tasks.watch(rpc, taskId, { push, signal: over.signal })));
    const honoured = { uris, taskIds: asked.taskIds.filter((_taskId, i) => isThere[i]) };
    stream.push(acknowledgement(rpc.id, asked, honoured));
    for (const bytes of early) stream.push(bytes);
    put = (bytes) => stream.push(bytes);
    if (asked.lists.size === 0 && honoured.uris.length === 0 && honoured.taskIds.length === 0) finish();
    return { status: 200, headers: STREAM_HEADERS, body: { kind: "frames", frames: stream }, done: close };
  }

  close(): void {
    for (const finish of [...this.#open.keys()]) finish();
  }

  #refuseTooMany(callerId: string): void {
    let ofOne = 0;
    for (const owner of this.#open.values()) if (owner === callerId) ofOne++;
    if (this.#open.size >= MAX_STREAMS || ofOne >= MAX_STREAMS_OF_ONE)
      throw new GatewayError("overloaded", "There are too many open subscriptions.", { hint: "Close those that are not read any more." });
  }
}

async function watchAll(watches: Watches, uris: readonly string[], rpc: RpcCall): Promise<readonly string[]> {
  const had = await Promise.all(
    uris.map(async (uri) => {
      try {
        await watches.add(uri, rpc.o);
        return uri;
      } catch {
        // Left out of the acknowledgement, which is how the client learns of it.
        return null;
      }
    }),
  );
  return had.filter((uri) => uri !== null);
}

function readFilter(message: RpcMessage): Asked {
  const filter = valueMember(message.bytes, message.params, "notifications");
  if (typeof filter !== "object" || filter === null || Array.isArray(filter))
    throw new GatewayError("validation_failed", 'subscriptions/listen needs "notifications", an object.');
  const fields = filter as Readonly<Record<string, unknown>>;
  const wanted = new Set<ListName>();
  for (const list of lists) {
    const value = fields[`${list}ListChanged`];
    if (value !== undefined && typeof value !== "boolean")
      throw new GatewayError("validation_failed", `"${list}ListChanged" is not a boolean.`);
    if (value === true) wanted.add(list);
  }
  const uris = fields["resourceSubscriptions"] ?? [];
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === "string"))
    throw new GatewayError("validation_failed", '"resourceSubscriptions" is not a list of URIs.');
  const taskIds = fields["taskIds"] ?? [];
  if (!Array.isArray(taskIds) || taskIds.length > MAX_TASKS || !taskIds.every((id) => typeof id === "string"))
    throw new GatewayError("validation_failed", `"taskIds" is not a list of at most ${MAX_TASKS} ids.`);
  return { lists: wanted, uris: [...new Set(uris)], taskIds: [...new Set(taskIds)] };
}

function taskNotice(id: string, task: string): Uint8Array {
  return utf8(`{"jsonrpc":"2.0","method":"notifications/tasks","params":{"_meta":{${subscriptionMember(id)}},${task}}}`);
}

function acknowledgement(id: string, asked: Asked, { uris, taskIds }: Honoured): Uint8Array {
  const honoured: Record<string, unknown> = {};
  for (const list of asked.lists) honoured[`${list}ListChanged`] = true;
  if (uris.length > 0) honoured["resourceSubscriptions"] = uris;
  if (taskIds.length > 0) honoured["taskIds"] = taskIds;
  return utf8(
    `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{${subscriptionMember(id)}},"notifications":${JSON.stringify(honoured)}}}`,
  );
}

function subscriptionMember(id: string): string {
  return `"${META.subscriptionId}":${id}`;
}

class ListenSubscriber implements Subscriber {
  readonly view: View;
  readonly caller: Caller;
  readonly callerId: string;
  readonly #id: string;
  readonly #asked: Asked;
  readonly #watches: Watches;
  readonly #stream: SseStream;

  constructor(o: { readonly rpc: RpcCall; readonly asked: Asked; readonly watches: Watches; readonly stream: SseStream }) {
    this.view = lasting(o.rpc.view);
    this.caller = o.rpc.o.caller;
    this.callerId = o.rpc.o.caller.id;
    this.#id = o.rpc.id;
    this.#asked = o.asked;
    this.#watches = o.watches;
    this.#stream = o.stream;
  }

  listChanged(list: ListName): void {
    if (!this.#asked.lists.has(list)) return;
    this.#stream.push(
      utf8(`{"jsonrpc":"2.0","method":"notifications/${list}/list_changed","params":{"_meta":{${subscriptionMember(this.#id)}}}}`),
    );
  }

  watching(server: string, uri: string): boolean {
    return this.#watches.has(server, uri);
  }
  resourceUpdated(server: string, uri: string, notice: RpcMessage): void {
    const edits = [replaceWith(member(notice.params, "uri")!, JSON.stringify(outerUri(this.view, server, uri)))];
    const meta = member(notice.params, "_meta");
    const stamp = subscriptionMember(this.#id);
    // The id of our own subscription at the server says nothing to the client.
    edits.push(
      meta === null
        ? insertMembers(notice.params!, `"_meta":{${stamp}}`)
        : rebuild(notice.bytes, meta, { drop: (key) => key === META.subscriptionId, members: [stamp] }),
    );
    this.#stream.push(splice(notice.bytes, edits));
  }

  logged(): void {
    // Since 2026-07-28 logs belong to requests.
  }
}
