export { type ActualColumn, type SqlDialect, type Tables } from "./dialect.js";
export { type Answer, type Begin, type Query, type Shared, type SqlDriver, type SqlValue, type Statement, type Work } from "./driver.js";
export { LostRace, NotForeseen } from "./lost-race.js";
export { sqlRecordStore } from "./record-store.js";
export {
  applyMigrations,
  derivedMigration,
  migrate,
  migrationScript,
  migrationState,
  statementsOf,
  type MigrateMode,
  type MigrateOptions,
  type Migration,
} from "./schema/migrate.js";
export { isCheckable } from "./schema/standing.js";
export { schemaDrift, type Drift } from "./schema/schema-drift.js";
