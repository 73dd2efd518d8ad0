import type { RouteAnswer, RouteCall, sessionRoutes } from "../routes/index.js";
import { ResourceClient, type CreateOptions } from "./resource-client.js";
import type { ResourceShapes } from "./resource-rows.js";
import { sessionPaths } from "./operations.js";
import type { CallOptions, Transport } from "./transport.js";

type Routes = typeof sessionRoutes;
type Shape = ResourceShapes["sessions"];
export type SessionMessagePage = RouteAnswer<Routes["messages"]>;
export type SessionMessage = SessionMessagePage["data"][number];
type NewMessages = RouteCall<Routes["append"]>["body"]["messages"];
type Where = (typeof sessionPaths)[keyof typeof sessionPaths];

export interface MessagesOptions extends CallOptions {
  /** After this sequence number; left out: from the first. */
  readonly after?: number | undefined;
  /** 1 to 1,000; 100 when left out. A page may have fewer where messages are large. */
  readonly limit?: number | undefined;
  /** The newest ones, still oldest first. */
  readonly last?: boolean | undefined;
}
export interface AppendOptions extends CreateOptions {
  /** Only while this is the newest message: `conflict` otherwise. */
  readonly ifLast?: number | undefined;
}
export interface BranchOptions extends CreateOptions {
  /** The last message that both have; the newest when left out. */
  readonly atSeq?: number | undefined;
  readonly title?: string | undefined;
}

/** The sessions of the gateway: their rows as those of every resource, and what is said in them. Errors of every method: as of `ResourceClient`. */
export interface SessionsClient extends ResourceClient<Shape["view"], Shape["create"], Shape["change"]> {
  /** One page of what was said; `next_after` is the `after` of the next one, null at the end. */
  messages(id: string, o?: MessagesOptions): Promise<SessionMessagePage>;
  /** Every message, page after page as they are asked for. */
  allMessages(id: string, o?: Omit<MessagesOptions, "last">): AsyncGenerator<SessionMessage, void, undefined>;
  /** Appends messages after all that stand, all of them or none; a text is one user message. No model is asked. */
  append(id: string, messages: string | NewMessages, o?: AppendOptions): Promise<RouteAnswer<Routes["append"]>>;
  /** A new session that begins with the messages of this one. */
  branch(id: string, o?: BranchOptions): Promise<Shape["view"]>;
  /** The whole session as one document, to be read as it comes. */
  exportOne(id: string, format: "json" | "markdown", o?: CallOptions): Promise<Response>;
}

export function sessionsClient(transport: Transport): SessionsClient {
  const rows = new ResourceClient<Shape["view"], Shape["create"], Shape["change"]>(transport, "sessions");
  const at = ([method, path]: Where, id: string) => ({ method, path: path.replace("{id}", encodeURIComponent(id)) });
  const messages: SessionsClient["messages"] = (id, { signal, ...query } = {}) =>
    transport.json({ ...at(sessionPaths.messages, id), query, signal });
  return Object.assign(rows, {
    messages,
    async *allMessages(id: string, o: Omit<MessagesOptions, "last"> = {}): AsyncGenerator<SessionMessage, void, undefined> {
      for (let after: number | null = o.after ?? 0; after !== null; ) {
        const page: SessionMessagePage = await messages(id, { ...o, after });
        yield* page.data;
        after = page.next_after;
      }
    },
    append: (id: string, said: string | NewMessages, o: AppendOptions = {}): ReturnType<SessionsClient["append"]> => {
      const body = { messages: typeof said === "string" ? [{ role: "user", content: said }] : said, if_last: o.ifLast };
      return transport.json({ ...at(sessionPaths.append, id), body, headers: keyed(o), signal: o.signal });
    },
    branch: (id: string, o: BranchOptions = {}): ReturnType<SessionsClient["branch"]> => {
      const body = { at_seq: o.atSeq, title: o.title };
      return transport.json({ ...at(sessionPaths.branch, id), body, headers: keyed(o), signal: o.signal });
    },
    exportOne: (id: string, format: "json" | "markdown", o: CallOptions = {}): Promise<Response> =>
      transport.send({ ...at(sessionPaths.export, id), query: { format }, signal: o.signal }),
  });
}

function keyed({ idempotencyKey }: CreateOptions): Readonly<Record<string, string | undefined>> {
  return { "idempotency-key": idempotencyKey };
}
