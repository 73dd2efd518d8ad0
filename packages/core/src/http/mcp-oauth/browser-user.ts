import type { Access } from "../../access/access.js";
import { readCredential } from "../../access/credential.js";
import type { Identity } from "../../access/identity.js";
import { sessionToken } from "../../access/sign-in/cookies.js";
import type { Caller, Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";

export interface BrowserUserOptions {
  readonly access: Access;
  /** Left out: nobody signs in here. */
  readonly identity?: Identity | undefined;
}

/**
 * Who the user of a browser is, of pages that also answer who is nobody: by the host application's hook, a key, or a session. A form brings no header, so that its page has to see to it that it is its own.
 * null: the gateway does not know them.
 */
export async function browserUser({ access, identity }: BrowserUserOptions, inbound: Inbound): Promise<Caller | null> {
  try {
    if (access.isHosts || readCredential(inbound, { inQuery: false }) !== null) return await access.identify(inbound);
    if (identity === undefined || sessionToken(inbound) === null) return null;
    return (await identity.signIn.sessions.of(inbound)).caller;
  } catch (error) {
    if (GatewayError.is(error, "unauthenticated")) return null;
    throw error;
  }
}
