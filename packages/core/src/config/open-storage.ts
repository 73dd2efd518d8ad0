import { GatewayError } from "../errors/index.js";
import type { StorageAdapter } from "../ports/index.js";

/**
 * The adapter that `storage.url` names; `sqlite:` takes a path, absolute or relative to the working directory. null for `memory:`, which needs none.
 * Errors: `missing_dependency` with the install command; `misconfigured` for a scheme that no adapter of this version serves.
 */
export async function adapterFor(url: string): Promise<StorageAdapter | null> {
  const scheme = url.slice(0, url.indexOf(":"));
  const place = url.slice(scheme.length + 1).replace(/^\/\/(?=\/)/, "");
  switch (scheme) {
    case "memory":
      return null;
    case "sqlite":
      return (await loaded("@sallyport/adapters-sqlite", import("@sallyport/adapters-sqlite"))).sqlite(place);
    default:
      throw new GatewayError("misconfigured", `No adapter of this version stores in "${scheme}:".`, {
        hint: "Use memory: or sqlite:<file>.",
      });
  }
}

async function loaded<M>(name: string, module: Promise<M>): Promise<M> {
  try {
    return await module;
  } catch (error) {
    throw new GatewayError("missing_dependency", `storage.url needs the package ${name}, which could not be loaded.`, {
      hint: `npm install ${name}`,
      cause: error,
    });
  }
}
