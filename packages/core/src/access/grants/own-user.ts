import type { Caller } from "../../calls/index.js";
import { mayDo } from "../grants.js";

/** The user whose own things the caller's are; undefined: nobody's, such as those of a project's key. Whom the host application calls a user is one by its id, so that two of them never share what was meant for one. */
export function ownUserOf(caller: Pick<Caller, "kind" | "id" | "userId">): string | undefined {
  return caller.userId ?? (caller.kind === "user" ? caller.id : undefined);
}

/** Whether the caller sees what is each user's own: whoever neither is a user nor acts for one, and who may read users. Others see their own alone (T16). */
export function seesEveryUser(caller: Caller): boolean {
  return ownUserOf(caller) === undefined || mayDo(caller, "users", "read");
}
