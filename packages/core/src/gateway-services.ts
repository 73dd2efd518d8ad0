import { crypto, writeLine } from "#platform";
import type { Config } from "./config/schema.js";
import { GatewayError } from "./errors/index.js";
import type { GatewayOptions } from "./gateway-options.js";
import { memoryBus, memoryCache, memoryCounters, memoryWakeup } from "./memory/index.js";
import { createSeams, EventHub, type Services } from "./seams/index.js";
import type { Clock } from "./ports/index.js";
import { newId } from "./util/ids.js";
import { loggerLines, logLines, type WriteLine } from "./util/log.js";

/** What every domain of a gateway is made with: what the options give, and this process's own where they give nothing. */
export function servicesOf(
  options: GatewayOptions,
  { store, clock, log, redactor }: Pick<Services, "store" | "clock" | "log" | "redactor">,
): Services {
  const events = new EventHub();
  events.on("internal.error", ({ where, error }) =>
    log.error(`failed: ${where}`, { code: GatewayError.from(error).code, message: messageOf(error) }),
  );
  const wakeup = options.wakeup ?? memoryWakeup({ clock });
  const bus = options.bus ?? memoryBus();
  const cache = options.cache ?? memoryCache({ clock });
  const counters = options.counters ?? memoryCounters({ clock });
  return { store, clock, crypto, wakeup, bus, cache, counters, events, log, redactor, seams: createSeams(), nodeId: newId("node") };
}

function messageOf(error: unknown): string {
  const cause = GatewayError.is(error, "internal") ? error.cause : error;
  return cause instanceof Error ? cause.message.slice(0, 500) : "";
}

/** Where the lines of the log go: to whom the options name, or to standard error. */
export function linesOf({ log }: GatewayOptions, o: { readonly config: Config; readonly clock: Clock }): WriteLine {
  if (log === undefined) return logLines(o.config.logging.format, { write: writeLine, now: () => o.clock.now() });
  return typeof log === "function" ? log : loggerLines(log);
}
