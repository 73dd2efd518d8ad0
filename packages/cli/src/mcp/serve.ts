import { serveStdio } from "@sallyport/core/node";
import type { Command } from "../command.js";
import { openGateway } from "../open-gateway.js";
import { givenOwnerKey } from "../owner-key.js";
import { findPlace, loadPlace } from "../place.js";
import { stopSignal } from "../stop-signals.js";
import type { McpOptions } from "./mcp-options.js";

const FORCED = 130;
/** A desktop client kills what does not end soon after it hung up. */
const CLOSE_MS = 1_500;

/** Serves every server, or a namespace, to the client that started this process, until it hangs up or a signal comes. Standard output holds messages and nothing else. */
export async function serve(command: Command, o: McpOptions): Promise<number> {
  const { terminal, flags, env } = command;
  const place = findPlace(command);
  const onOwnerKey = (key: string): void => terminal.err(`The owner key of ${place.dataDir}, shown only now: ${key}`);
  const gateway = openGateway(place, loadPlace(place, flags), { ownerKey: givenOwnerKey(env), onOwnerKey });
  const stop = stopSignal(() => process.exit(FORCED));
  const ending = new AbortController();
  void stop.asked.then(() => ending.abort());
  try {
    await serveStdio(gateway, { namespace: o.namespace, signal: ending.signal });
    return 0;
  } finally {
    await gateway.close({ graceMs: CLOSE_MS });
    stop.forget();
  }
}
