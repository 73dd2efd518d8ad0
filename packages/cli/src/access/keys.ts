import { existsSync } from "node:fs";
import { GatewayError } from "@sallyport/core";
import type { Command } from "../command.js";
import { gatewayKeys, type KeyOptions } from "./gateway-keys.js";
import { openGateway } from "../open-gateway.js";
import { givenOwnerKey, makeOwnerKey } from "../owner-key.js";
import { findPlace, loadPlace } from "../place.js";
import { chooseStorage, type StorageChoice } from "../storage.js";

const actions = ["create", "list", "rotate", "revoke"];

/**
 * `keys`: where the owner's key comes from. `keys rotate`: a new one, shown once; the old one stops being valid, also at a gateway that runs. `keys create`, `list`, `rotate <id>`, `revoke <id>`: the
 * keys of callers.
 */
export async function keys(command: Command, action: string | undefined, o: KeyOptions): Promise<number> {
  if (action === undefined) return show(command);
  if (action === "rotate" && o.target === undefined) return rotate(command);
  if (actions.includes(action)) return gatewayKeys(command, action, o);
  throw new GatewayError("bad_request", `"keys ${action}" is not known.`, {
    hint: `Use \`sallyport keys\` alone, or with ${actions.join(", ")}.`,
  });
}

function show(command: Command): number {
  const place = findPlace(command);
  command.terminal.out(describe(chooseStorage(place, loadPlace(place, command.flags)), command));
  return 0;
}

function describe({ path, name, url }: StorageChoice, { env }: Command): string {
  if (givenOwnerKey(env) !== undefined) return "The owner key comes from the environment variable SALLYPORT_OWNER_KEY.";
  if (url.startsWith("memory:")) return "Nothing is kept in a file: each start that finds no owner key makes one and shows it.";
  if (path !== null && !existsSync(path)) return "There is no owner key yet: the first start makes one and shows it once.";
  return `The owner key was shown when it was made; ${name.replace(/^sqlite /, "")} holds only a hash. A new one: sallyport keys rotate`;
}

async function rotate(command: Command): Promise<number> {
  const place = findPlace(command);
  const loaded = loadPlace(place, command.flags);
  if (givenOwnerKey(command.env) !== undefined)
    throw new GatewayError("misconfigured", "The owner key comes from SALLYPORT_OWNER_KEY, so it is not rotated here.", {
      hint: "Change the variable and start the gateway again; or remove it, and rotate then.",
    });
  const { path, url } = chooseStorage(place, loaded);
  if (url.startsWith("memory:") || (path !== null && !existsSync(path)))
    throw new GatewayError("misconfigured", "There is no stored owner key to rotate.", {
      hint: "Run `sallyport start`: it makes one and shows it.",
    });
  const key = makeOwnerKey();
  const gateway = openGateway(place, loaded, { ownerKey: key, bare: true });
  try {
    await gateway.start();
  } finally {
    await gateway.close();
  }
  command.terminal.out(key);
  command.terminal.err("This is the owner key from now on, shown only this once. The one before is no longer valid.");
  return 0;
}
