import { CHANGES_TOPIC } from "../../../config/snapshot-holder.js";
import type { ResourceExchange } from "./resource-exchange.js";

/** Says that a row changed: the next call of this process is decided by it, those of others within about a second. It is stored: whoever does not hear of it now sees it with the next poll. */
export async function announce(e: ResourceExchange, id: string): Promise<void> {
  if (!e.resource.entity.watched) return;
  await Promise.all([e.services.bus.publish(CHANGES_TOPIC, [id]), e.refresh?.()]).catch(() => undefined);
}
