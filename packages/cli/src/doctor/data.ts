import { accessSync, constants, statSync, type Stats } from "node:fs";
import { parseMasterSecret } from "@sallyport/core";
import { findSecret } from "../secret-file.js";
import { shortPath, type Place } from "../place.js";
import { fail, failed, ok, warn, type Finding } from "./finding.js";

/** The data folder and the secret in it. Changes nothing: what is not there yet is made by the first start. */
export function checkData(place: Place): Finding[] {
  return [folderFinding(place), secretFinding(place)];
}

function folderFinding({ dataDir, cwd }: Place): Finding {
  const name = shortPath(dataDir, cwd);
  const stats = statOf(dataDir);
  if (stats === null) return ok("data", `${name} will be made by the first start`);
  if (!stats.isDirectory()) return fail("data", `${name} is not a folder`, "Remove it, or point SALLYPORT_DATA elsewhere.");
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return fail("data", `${name} cannot be written to`, `Give it to the user that runs Sallyport: chown -R $(id -u) ${name}`);
  }
  return openToOthers(stats)
    ? warn("data", `${name} can be read by other users (mode ${mode(stats)})`, `chmod 700 ${name}`)
    : ok("data", `${name} (mode ${mode(stats)})`);
}

function secretFinding(place: Place): Finding {
  const name = shortPath(place.secretPath, place.cwd);
  try {
    const secret = findSecret(place);
    if (secret === null) {
      if (statOf(place.databasePath) === null) return ok("secret", `${name} will be made by the first start`);
      return fail(
        "secret",
        `${name} is gone, and the database was made with it`,
        "Put the file back, or set SALLYPORT_SECRET to what it held.",
      );
    }
    parseMasterSecret(secret.text);
    if (secret.from === "environment") return ok("secret", "from the environment variable SALLYPORT_SECRET");
    const stats = statOf(place.secretPath);
    return stats !== null && openToOthers(stats)
      ? warn("secret", `${name} can be read by other users (mode ${mode(stats)})`, `chmod 600 ${name}`)
      : ok("secret", name);
  } catch (error) {
    return failed("secret", error);
  }
}

function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

const hasModes = process.platform !== "win32";

function openToOthers(stats: Stats): boolean {
  return hasModes && (stats.mode & 0o077) !== 0;
}

function mode(stats: Stats): string {
  return `0${(stats.mode & 0o777).toString(8)}`;
}
