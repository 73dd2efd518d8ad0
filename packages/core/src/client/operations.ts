import type { chatRoutes, inboxRoutes, RestRoute, RouteAnswer, RouteCall, runRoutes, sessionRoutes } from "../routes/index.js";
import type { CallOptions, Transport } from "./transport.js";

/** Where the routes of a table are: held to their declarations by the compiler, so that the client has them without the schemas. */
type PathsOf<T extends Readonly<Record<string, RestRoute>>> = { readonly [K in keyof T]: readonly [T[K]["method"], T[K]["path"]] };

/** Whether a part may be left out: there is none, or nothing of it has to be given. */
type MayGo<V> = undefined extends V ? true : Record<never, never> extends V ? true : false;
type Needed<C> = { readonly [K in keyof C as MayGo<C[K]> extends true ? never : K]: C[K] } & {
  readonly [K in keyof C as MayGo<C[K]> extends true ? K : never]?: C[K] | undefined;
};
/** A hand-written route as a function. */
export type Operation<R extends RestRoute> = (
  call: Needed<RouteCall<R>> & CallOptions & { readonly idempotencyKey?: string },
) => Promise<RouteAnswer<R>>;
export type Operations<T extends Readonly<Record<string, RestRoute>>> = { readonly [K in keyof T]: Operation<T[K]> };

export const runPaths = {
  create: ["POST", "/api/v1/runs"],
  list: ["GET", "/api/v1/runs"],
  get: ["GET", "/api/v1/runs/{id}"],
  events: ["GET", "/api/v1/runs/{id}/events"],
  cancel: ["POST", "/api/v1/runs/{id}/cancel"],
} as const satisfies PathsOf<typeof runRoutes>;

export const inboxPaths = {
  list: ["GET", "/api/v1/inbox"],
  get: ["GET", "/api/v1/inbox/{id}"],
  approve: ["POST", "/api/v1/inbox/{id}/approve"],
  deny: ["POST", "/api/v1/inbox/{id}/deny"],
  bulk: ["POST", "/api/v1/inbox/bulk"],
} as const satisfies PathsOf<typeof inboxRoutes>;

/** Beside what every resource has. */
export const sessionPaths = {
  messages: ["GET", "/api/v1/sessions/{id}/messages"],
  append: ["POST", "/api/v1/sessions/{id}/messages"],
  branch: ["POST", "/api/v1/sessions/{id}/branch"],
  export: ["GET", "/api/v1/sessions/{id}/export"],
} as const satisfies Partial<PathsOf<typeof sessionRoutes>>;

export const chatPaths = { chat: ["POST", "/api/v1/chat"] } as const satisfies PathsOf<typeof chatRoutes>;

interface AnyCall extends CallOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

/** The functions of a table of paths. */
export function operations<T extends Readonly<Record<string, RestRoute>>>(transport: Transport, paths: PathsOf<T>): Operations<T> {
  const entries = Object.entries(paths).map(([name, [method, path]]) => {
    const operation = ({ params = {}, query, body, idempotencyKey, signal }: AnyCall): Promise<unknown> => {
      const filled = String(path).replace(/\{(\w+)\}/g, (_: string, part: string) => encodeURIComponent(params[part] ?? ""));
      return transport.json({ method, path: filled, query, body, headers: { "idempotency-key": idempotencyKey }, signal });
    };
    return [name, operation];
  });
  return Object.fromEntries(entries) as Operations<T>;
}
