// Made by tools/make-migration.mjs --embed from migrations/*.sql.
import type { Migration } from "@sallyport/sql";
import { text as text1 } from "./0001-initial.js";

export const shippedMigrations: readonly Migration[] = [{ id: "0001_initial", text: text1 }];
