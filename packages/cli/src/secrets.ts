import { GatewayError } from "@sallyport/core";
import type { Command } from "./command.js";
import { openGateway } from "./open-gateway.js";
import { findPlace, loadPlace } from "./place.js";

/** `secrets rotate`: a new key for what is sealed in the database, and everything there sealed anew, also while a gateway runs on it. */
export async function secrets(command: Command, action: string | undefined): Promise<number> {
  if (action !== "rotate")
    throw new GatewayError("bad_request", `"secrets ${action ?? ""}" is not known.`, { hint: "Use `sallyport secrets rotate`." });
  const place = findPlace(command);
  const gateway = openGateway(place, loadPlace(place, command.flags), { bare: true });
  try {
    await gateway.start();
    const { rows, left } = await gateway.rotateSecrets();
    command.terminal.out(`There is a new key. Sealed anew: ${rows} ${rows === 1 ? "row" : "rows"}.`);
    if (left === 0) return 0;
    command.terminal.err(`${left} could not be: changed meanwhile, or not to be opened. Run it again; those that stay are to be set anew.`);
    return 1;
  } finally {
    await gateway.close();
  }
}
