import { GatewayError } from "../errors/index.js";
import type { MigratableStorage } from "../ports/index.js";
import type { Config } from "./schema.js";

type Place = NonNullable<Config["storage"]>;

/**
 * The adapter that `storage.url` names; `sqlite:` takes a path, absolute or relative to the working directory. null for `memory:`, which needs none.
 * Errors: `missing_dependency` with the install command; `misconfigured` for a scheme that no adapter of this version serves, and as the adapters'.
 */
export async function adapterFor({ url, migrate = "auto", tablePrefix }: Place): Promise<MigratableStorage | null> {
  const scheme = url.slice(0, url.indexOf(":"));
  const place = url.slice(scheme.length + 1).replace(/^\/\/(?=\/)/, "");
  if (tablePrefix !== undefined && scheme !== "mysql" && scheme !== "mariadb")
    throw new GatewayError("misconfigured", `storage.tablePrefix is for MySQL and MariaDB, not for "${scheme}:".`, {
      hint: "Leave it out.",
    });
  switch (scheme) {
    case "memory":
      return null;
    case "sqlite":
      return (await loaded("@sallyport/adapters-sqlite", import("@sallyport/adapters-sqlite"))).sqlite(place, { migrate });
    case "mysql":
    case "mariadb":
      return (await loaded("@sallyport/adapters-mysql", import("@sallyport/adapters-mysql"))).mysql(url, {
        migrate,
        ...(tablePrefix === undefined ? {} : { tablePrefix }),
      });
    default:
      throw new GatewayError("misconfigured", `No adapter of this version stores in "${scheme}:".`, {
        hint: "Use memory:, sqlite:<file> or mysql://user:password@host/database.",
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
