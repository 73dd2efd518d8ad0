import type { Gateway } from "@sallyport/core";
import { serve, type Serving } from "@sallyport/core/node";
import { printBanner, type BannerFacts } from "./banner.js";
import type { Command } from "./command.js";
import { ownVersion } from "./doctor/runtime.js";
import { openGateway } from "./open-gateway.js";
import { givenOwnerKey } from "./owner-key.js";
import { findPlace, loadPlace, shortPath } from "./place.js";
import { stopSignal } from "./stop-signals.js";
import { chooseStorage } from "./storage.js";
import type { Terminal } from "./terminal.js";

const FORCED = 130;

/** Serves until a signal asks to stop; drains, closes, and gives the exit code. */
export async function start(command: Command): Promise<number> {
  const { terminal, flags } = command;
  const place = findPlace(command);
  const loaded = loadPlace(place, flags);
  const ownerKey = givenOwnerKey(command.env);
  let made: string | undefined;
  const gateway = openGateway(place, loaded, { ownerKey, onOwnerKey: (key) => (made = key) });
  const stop = stopSignal(() => process.exit(FORCED));
  try {
    const starting = serve(gateway);
    const serving = await Promise.race([starting, stop.asked.then(() => null)]);
    if (serving === null) return await endStart(terminal, gateway, starting);
    printBanner(terminal, {
      version: ownVersion(),
      url: serving.url,
      beyond: beyondThisMachine(serving, loaded.config.server.allowedHosts),
      ownerKey: made !== undefined ? { made } : { from: ownerKey === undefined ? "stored" : "environment" },
      storage: chooseStorage(place, loaded).name,
      config: place.file?.path ?? `environment (no ${shortPath(place.configPath, place.cwd)})`,
      providers: ["demo (offline)", ...Object.keys(loaded.config.providers)],
      servers: gateway.mcp
        .status()
        .map(({ name, connected, lastError }) => (connected ? name : `${name} (${lastError === null ? "connecting" : "down"})`)),
    });
    await stop.asked;
    terminal.err("Stopping: calls under way may finish. Ctrl-C again ends it at once.");
    // Runs and tasks end while calls do: one time for all.
    gateway.drain({ graceMs: gateway.config.server.timeouts.shutdownMs });
    await serving.close();
    return 0;
  } finally {
    await gateway.close();
    stop.forget();
  }
}

/** A gateway that is still starting waits for nothing any more: there is nothing to finish. */
async function endStart(terminal: Terminal, gateway: Gateway, starting: Promise<Serving>): Promise<number> {
  terminal.err("Stopping before it was started.");
  const late = starting.catch(() => null); // it hears that the gateway is closed
  await gateway.close({ graceMs: 0 });
  await (await late)?.close();
  return 0;
}

function beyondThisMachine({ host, port }: Serving, allowedHosts: readonly string[]): BannerFacts["beyond"] {
  if (host === "localhost" || host === "::1" || host.startsWith("127.")) return null;
  const name = host.includes(":") ? `[${host}]` : host;
  const isWildcard = name === "0.0.0.0" || name === "[::]";
  return { address: `${name}:${port}`, names: [...(isWildcard ? [] : [name]), ...allowedHosts] };
}
