import { existsSync } from "node:fs";
import { sqlite } from "@sallyport/adapters-sqlite";
import { GatewayError } from "@sallyport/core";
import type { Command } from "./command.js";
import { findPlace, loadPlace } from "./place.js";
import { ensureDataDir, ensureSecret } from "./secret-file.js";
import { chooseStorage } from "./storage.js";

/** Applies the migrations that the database lacks, or prints them as one script. */
export async function migrate(command: Command, o: { readonly sql: boolean }): Promise<number> {
  const { terminal } = command;
  const place = findPlace(command);
  const { path, name, adapter } = chooseStorage(place, loadPlace(place, command.flags));
  const isNew = path !== null && !existsSync(path);
  const storage = isNew && o.sql ? sqlite(":memory:") : adapter(); // asking makes no file
  if (storage === null)
    throw new GatewayError("misconfigured", `There is nothing to migrate: storage is ${name}.`, {
      hint: "Set storage.url (DATABASE_URL) to sqlite:<file> or mysql://user:password@host/database, or leave it out.",
    });
  if (o.sql) {
    terminal.out(await storage.migrationScript());
    return 0;
  }
  if (isNew && path === place.databasePath) {
    ensureDataDir(place);
    ensureSecret(place); // before the database, so that the two belong together
  }
  const applied = await storage.migrate();
  terminal.out(
    applied.length === 0 ? `${name}: nothing to do, its tables are those of this version` : `${name}: applied ${applied.join(", ")}`,
  );
  return 0;
}
