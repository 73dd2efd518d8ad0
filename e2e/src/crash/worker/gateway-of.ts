import { createHash } from "node:crypto";
import { mysql } from "@sallyport/adapters-mysql";
import { redis } from "@sallyport/adapters-redis";
import { sqlite } from "@sallyport/adapters-sqlite";
import { Gateway, type GatewayOptions } from "@sallyport/core";
import type { MigratableStorage, StorageAdapter } from "@sallyport/core/ports";
import { OWNER_KEY, type StoreAt } from "./worker-options.js";

export function storageAt(at: StoreAt): MigratableStorage {
  return "sqlite" in at ? sqlite(at.sqlite) : mysql(at.mysql);
}

/** A gateway as every process of the harness has it: on one store, with one secret. */
export function gatewayOf(storage: StorageAdapter, o: { readonly redis: string | null; readonly more?: GatewayOptions }): Gateway {
  return new Gateway({
    storage,
    ...(o.redis === null ? {} : { redis: redis(o.redis) }),
    secret: createHash("sha256").update("the crash harness").digest(),
    ownerKey: OWNER_KEY,
    env: {},
    logging: { level: "warn" },
    log: () => undefined,
    ...o.more,
  });
}
