import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What tests start from installed binaries: the first of these that is found. */
const services = {
  mariadb: { name: "MariaDB", binaries: ["mariadbd", "mysqld"], packages: "mariadb-server" },
  redis: { name: "Redis", binaries: ["redis-server", "valkey-server"], packages: "redis-server" },
} as const;
export type Service = keyof typeof services;

/** Debian keeps servers outside an ordinary user's PATH. */
const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** The path of an installed program; null: there is none. */
export function findBinary(names: readonly string[]): string | null {
  for (const name of names)
    for (const place of places) {
      const path = join(place, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here.
      }
    }
  return null;
}

/** The program that serves; null: none is installed. */
export const binaryOf = (service: Service): string | null => findBinary(services[service].binaries);

/**
 * Whether the suites of a service can run. Where it is not installed that is said on standard error, and is an error when SALLYPORT_REQUIRE_SERVICES=1.
 * For `describe.skipIf(!hasService("redis"))`.
 */
export function hasService(service: Service): boolean {
  if (binaryOf(service) !== null) return true;
  const { name, packages } = services[service];
  const what = `${name} is not installed, so its suites cannot run: apt-get install ${packages}`;
  if (process.env["SALLYPORT_REQUIRE_SERVICES"] === "1") throw new Error(what);
  process.stderr.write(`\n!!! NOT TESTED: ${what}\n\n`);
  return false;
}
