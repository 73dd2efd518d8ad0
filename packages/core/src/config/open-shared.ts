import { GatewayError } from "../errors/index.js";
import type { SharedAdapter } from "../ports/index.js";

/** The adapter that `redis.url` names. Errors: `missing_dependency` with the install command; `misconfigured` for a URL that cannot be. */
export async function sharedAdapterFor(url: string): Promise<SharedAdapter> {
  return (await loaded(import("@sallyport/adapters-redis"))).redis(url);
}

async function loaded<M>(module: Promise<M>): Promise<M> {
  try {
    return await module;
  } catch (error) {
    throw new GatewayError("missing_dependency", "redis.url needs the package @sallyport/adapters-redis, which could not be loaded.", {
      hint: "npm install @sallyport/adapters-redis",
      cause: error,
    });
  }
}
