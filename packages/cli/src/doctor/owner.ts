import { existsSync } from "node:fs";
import { refuseWeakOwnerKey, type LoadedConfig } from "@sallyport/core";
import { givenOwnerKey } from "../owner-key.js";
import type { Place } from "../place.js";
import { chooseStorage } from "../storage.js";
import { failed, ok, type Finding } from "./finding.js";

/** Where the owner's key comes from, and whether one that was given would be refused. */
export function checkOwnerKey(place: Place, loaded: LoadedConfig): Finding {
  const given = givenOwnerKey(place.env);
  if (given !== undefined) {
    try {
      refuseWeakOwnerKey(given);
    } catch (error) {
      return failed("owner key", error);
    }
    return ok("owner key", "from the environment variable SALLYPORT_OWNER_KEY");
  }
  const { path } = chooseStorage(place, loaded);
  return path !== null && existsSync(path)
    ? ok("owner key", "stored as a hash; it was shown when it was made (lost? sallyport keys rotate)")
    : ok("owner key", "the first start makes one and shows it once");
}
