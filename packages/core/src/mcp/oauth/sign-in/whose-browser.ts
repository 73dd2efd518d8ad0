import { mayDo } from "../../../access/grants.js";
import type { Caller } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Services } from "../../../seams/index.js";
import type { Consent } from "./consents.js";

/** Neither keys nor clients with a token of another issuer have browsers that are signed in here. */
const WITHOUT_BROWSER = /^(?:key_|oauth_)/;

/**
 * Whether the user of a browser, as the gateway knows them, is whom a sign-in is for: the caller that will own it, or for all callers' somebody who may write servers. False: that can't be told, and the code is needed.
 * Errors: `forbidden` for somebody else, who is not asked for a code: it would put their account in the place of the owner's (T36).
 */
export function isOwnBrowser(
  { principal, startedBy }: Pick<Consent, "principal" | "startedBy">,
  caller: Caller | null,
  o: { readonly principalOf: (caller: Caller) => string; readonly resources: Pick<Services["seams"]["resources"], "assertEverywhere"> },
): boolean {
  if (caller === null) return false;
  if (principal === "") {
    if (!mayDo(caller, "servers", "write"))
      throw new GatewayError("forbidden", `${caller.name} may not sign the gateway in for all of its callers.`, {
        details: { missing: "servers:write" },
        hint: "Open the address in a browser that is signed in as an operator, or not at all.",
      });
    o.resources.assertEverywhere(caller, "servers:write");
    return true;
  }
  if (o.principalOf(caller) === principal) return true;
  if (WITHOUT_BROWSER.test(principal)) return false;
  throw new GatewayError("forbidden", `This browser is signed in as ${caller.name}, and the sign-in is ${startedBy}'s.`, {
    details: { reason: "another_user" },
    hint: "Nothing was done. If you are both, open the address in a browser that is signed in as the other.",
  });
}
