import type { HttpTarget } from "../server-target.js";
import { Reads, type ReadCache } from "./read-cache.js";
import type { Lists } from "./server-lists.js";
import type { Subscriptions } from "./subscriptions.js";
import type { UpstreamDeps } from "./upstream-deps.js";
import { UserConnections, type OneOf } from "./user-connections.js";

export interface UsersOf<U> {
  readonly name: string;
  readonly target: HttpTarget;
  readonly deps: UpstreamDeps;
  /** Those of each principal are kept here. */
  readonly subscriptions: Subscriptions;
  readonly reads: ReadCache;
  readonly make: (
    target: HttpTarget,
    given: UpstreamDeps & { readonly subscriptions: Subscriptions; readonly lists: Lists; readonly reads: Reads },
  ) => U;
}

/** The connections of a server that each caller signs in at, where what one of them says is told to its principal alone; null: all callers share one. */
export function usersOf<U extends OneOf>({ name, target, deps, subscriptions, reads, make }: UsersOf<U>): UserConnections<U> | null {
  const { authorizerOf, ...shared } = target;
  if (authorizerOf === undefined) return null;
  return new UserConnections({
    ...{ server: name, clock: deps.clock, startMs: deps.limits.startMs, authorizerOf },
    onPublic: (kind) => deps.onListChanged(name, kind),
    make: ({ principal, context, authorizer, lists, known, onRead }) =>
      make(
        { ...shared, authorizer },
        {
          ...deps,
          ...{
            prepare: undefined,
            lists,
            known,
            onRead,
            subscriptions: subscriptions.of(context),
            reads: new Reads(deps.clock, reads, context),
          },
          vet: (server, tools) => deps.vet?.(server, tools, { isPartial: true }) ?? Promise.resolve(),
          onListChanged: (server, kind) => deps.onListChanged(server, kind, principal),
          onResourceUpdated: (server, notice) => deps.onResourceUpdated(server, notice, principal),
        },
      ),
  });
}
