import type { Gateway } from "@sallyport/core";
import { GatewayError } from "@sallyport/core";
import type { Command } from "../command.js";
import { openGateway } from "../open-gateway.js";
import { findPlace, loadPlace } from "../place.js";
import { chooseStorage } from "../storage.js";

/** Does something in the database of a place, beside whatever gateway runs on it. Errors: `misconfigured` where nothing is kept. */
export async function withGateway(command: Command, work: (gateway: Gateway) => Promise<number>): Promise<number> {
  const place = findPlace(command);
  const loaded = loadPlace(place, command.flags);
  const storage = chooseStorage(place, loaded);
  if (storage.path === null && storage.url.startsWith("memory:"))
    throw new GatewayError("misconfigured", "Nothing is kept here: the database is in memory.", {
      hint: "Leave DATABASE_URL and storage out, or name a database.",
    });
  // A first start would make the owner's key and show it to nobody.
  let ownerKey: string | null = null;
  const gateway = openGateway(place, loaded, { bare: true, onOwnerKey: (key) => void (ownerKey = key) });
  try {
    await gateway.start();
    if (ownerKey !== null) command.terminal.err(`The owner key was made, shown only this once: ${ownerKey as string}`);
    return await work(gateway);
  } finally {
    await gateway.close();
  }
}
