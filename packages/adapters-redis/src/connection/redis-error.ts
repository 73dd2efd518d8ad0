import { GatewayError } from "@sallyport/core/ports";

/** Answers that say that the server as a whole is of no use now, and what they mean. */
const unusable: Readonly<Record<string, string>> = {
  READONLY: "it is a read-only replica",
  LOADING: "it is loading its data",
  OOM: "it is out of memory (maxmemory)",
  BUSY: "it is busy running a script",
  CLUSTERDOWN: "its cluster is down",
  MASTERDOWN: "its primary is down",
  MISCONF: "it refuses writes because it cannot save",
  NOREPLICAS: "it refuses writes for want of replicas",
  NOAUTH: "it wants a password",
  WRONGPASS: "the user name or the password is wrong",
};
const pattern = new RegExp(`(?:^|-)(${Object.keys(unusable).join("|")})\\b`);

/** Why the whole server is of no use; null: the error is of one command. */
export function unusableBecause(error: unknown): string | null {
  const code = error instanceof Error ? pattern.exec(error.message)?.[1] : undefined;
  return code === undefined ? null : (unusable[code] ?? null);
}

export const away = (why: string): GatewayError => cannotBeUsed(why, "unknown");
/** It is known to be away: nothing was sent. */
export const notAsked = (why: string): GatewayError => cannotBeUsed(why, "none");

function cannotBeUsed(why: string, outcome: "none" | "unknown"): GatewayError {
  return new GatewayError("store_unavailable", `Redis cannot be used: ${why}.`, {
    hint: "The gateway goes on without it, and uses it again by itself when it answers.",
    details: { outcome },
  });
}

/** Any failure of a command or a connection, for callers. Nothing of what was sent is in it. */
export function redisError(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error;
  const why = unusableBecause(error);
  if (why !== null) return away(why);
  if (!(error instanceof Error)) return away("it failed");
  const { code } = error as { code?: string };
  if (code !== undefined) return away(`the connection failed (${code})`);
  // An error reply begins with a word in capitals: NOPERM, WRONGTYPE, ERR.
  const word = /^[A-Z]{3,}\b/.exec(error.message)?.[0];
  return away(word === undefined ? error.message.slice(0, 100) : `it answered ${word}`);
}
