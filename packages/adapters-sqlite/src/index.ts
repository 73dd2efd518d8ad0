export { sqlite, type SqliteAdapter, type SqliteOptions } from "./sqlite.js";
