import { GatewayError } from "../../errors/index.js";

/** Where an exchange goes. */
export interface Target {
  readonly origin: string;
  /** With the query. */
  readonly path: string;
}

/** Errors: `bad_request` for what is not an absolute http(s) URL without credentials. */
export function parseTarget(url: string): Target {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (error) {
    throw new GatewayError("bad_request", "The address to call is not a URL.", { cause: error });
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
    throw new GatewayError("bad_request", `Only http and https are called, not ${parsed.protocol}//.`);
  if (parsed.username !== "" || parsed.password !== "")
    throw new GatewayError("bad_request", "The address to call carries a user name or password.", {
      hint: "Put the credential into a header instead.",
    });
  return { origin: parsed.origin, path: parsed.pathname + parsed.search };
}
