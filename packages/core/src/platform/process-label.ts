import { hostname } from "node:os";

/** What people know this process by: `host:pid`. */
export function processLabel(): string {
  return `${hostname()}:${process.pid}`;
}
