import { existsSync, mkdirSync } from "node:fs";
import { GatewayError } from "@sallyport/core";
import { readSecretFile, secretFile } from "@sallyport/core/node";
import { shortPath, type Place } from "./place.js";

export interface FoundSecret {
  /** 32 bytes in base64. */
  readonly text: string;
  readonly from: "environment" | "file";
}

/** Makes the folder, for its owner alone. Errors: `misconfigured` when it cannot be made. */
export function ensureDataDir({ dataDir, cwd }: Place): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? "unknown reason";
    throw new GatewayError("misconfigured", `The data folder ${shortPath(dataDir, cwd)} cannot be made (${why}).`, {
      hint: "Point SALLYPORT_DATA or --data at a folder that may be written to.",
      cause: error,
    });
  }
}

/** SALLYPORT_SECRET, else the file's, else null. Errors: `misconfigured` when the file cannot be read. */
export function findSecret(place: Place): FoundSecret | null {
  const given = place.env["SALLYPORT_SECRET"];
  if (given !== undefined && given !== "") return { text: given, from: "environment" };
  const text = readSecretFile(place.secretPath);
  return text === null ? null : { text, from: "file" };
}

/**
 * The secret, made once when there is none. Of several processes that start at once, all end up with the same.
 * Errors: `misconfigured` when the file cannot be made, or when a database is there whose secret is gone: a new one would lock everybody out.
 */
export function ensureSecret(place: Place): FoundSecret {
  const found = findSecret(place);
  if (found !== null) return found;
  const { secretPath, databasePath, cwd } = place;
  if (existsSync(databasePath) && !existsSync(secretPath))
    throw new GatewayError(
      "misconfigured",
      `${shortPath(databasePath, cwd)} is there, but the secret it was made with is not (${shortPath(secretPath, cwd)}).`,
      {
        hint: "Put the file back, or set SALLYPORT_SECRET to what it held. If it is lost, remove the database too: its keys are of no use any more.",
      },
    );
  ensureDataDir(place);
  return { text: secretFile(secretPath), from: "file" };
}
