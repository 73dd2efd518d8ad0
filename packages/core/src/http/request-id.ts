import { newId } from "../util/ids.js";

/** The caller's own `X-Request-Id` when it can be logged and stored as it is, else a new one. */
export function requestIdOf(header: string | undefined): string {
  return header !== undefined && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(header) ? header : newId("req");
}
