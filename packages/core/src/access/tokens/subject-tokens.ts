import type { Caller } from "../../calls/index.js";
import type { Secret } from "../../util/secret.js";

/** Beside the callers and never in them, so that no token is written wherever a caller is. */
const subjects = new WeakMap<Caller, Secret>();

export function noteSubjectToken(caller: Caller, token: Secret): Caller {
  subjects.set(caller, token);
  return caller;
}

/** The access token that the caller came in with, to be exchanged for another one and for nothing else; null: it came in otherwise. */
export function subjectTokenOf(caller: Caller): Secret | null {
  return subjects.get(caller) ?? null;
}
