import { Gateway, type LoadedConfig } from "@sallyport/core";
import { ensureDataDir, ensureSecret } from "./secret-file.js";
import type { Place } from "./place.js";
import { chooseStorage } from "./storage.js";

export interface OpenOptions {
  readonly ownerKey?: string | undefined;
  /** Called with the owner key when this start made it. */
  readonly onOwnerKey?: ((key: string) => void) | undefined;
  /** Only its keys and tables are wanted: nothing is started beside it. */
  readonly bare?: boolean | undefined;
}

/**
 * The gateway of a place, not started: its configuration, its secret, its database. Makes the data folder and the secret when they are not there.
 * Errors: `misconfigured`, `invalid_config`.
 */
export function openGateway(place: Place, loaded: LoadedConfig, o: OpenOptions): Gateway {
  const choice = chooseStorage(place, loaded);
  const secret = ensureSecret(place);
  if (choice.path === place.databasePath) ensureDataDir(place);
  return new Gateway({
    // With its sources: settings of the database stand over file and environment, and below the command line.
    config: o.bare === true ? { ...loaded, config: { ...loaded.config, mcpServers: {}, namespaces: {} } } : loaded,
    storage: choice.adapter() ?? { url: choice.url },
    env: place.env, // the settings in it are in the configuration already; secrets may stand there too
    secret: secret.text,
    ownerKey: o.ownerKey,
    onOwnerKey: o.onOwnerKey,
  });
}
