import { GatewayError } from "../../../errors/index.js";
import type { Row } from "../../../routes/index.js";

/** Which version a change expects, and how it is told that there is another one. */
export interface Expected {
  readonly version: number;
  /** 412 for `If-Match`, 409 for `if_version`. */
  readonly code: "precondition_failed" | "conflict";
}
export interface Conditions {
  /** As sent. */
  readonly ifMatch: string | undefined;
  readonly ifVersion: readonly (number | undefined)[];
}

/** A version as an entity tag. */
export const etagOf = (version: unknown): string => `"${String(version)}"`;

/** What the request expects; null: any version. Errors: `validation_failed` for an `If-Match` that no row of ours ever has, and for two different expectations. */
export function expectedVersion({ ifMatch, ifVersion }: Conditions): Expected | null {
  const named = ifVersion.filter((version) => version !== undefined);
  const tag = ifMatch === undefined || ifMatch.trim() === "*" ? undefined : /^(?:W\/)?"(\d{1,15})"$/.exec(ifMatch.trim())?.[1];
  if (ifMatch !== undefined && ifMatch.trim() !== "*" && tag === undefined)
    throw new GatewayError("validation_failed", "header.if-match: is not an ETag of this API", { hint: 'Send the ETag as it came: "3".' });
  const versions = new Set(tag === undefined ? named : [...named, Number(tag)]);
  if (versions.size > 1)
    throw new GatewayError("validation_failed", "if_version: is given twice with different values", { hint: "Give it once." });
  for (const version of versions) return { version, code: tag === undefined ? "conflict" : "precondition_failed" };
  return null;
}

/** Errors: the code of the expectation, with the current version. */
export function assertVersion(expected: Expected | null, row: Row): void {
  if (expected !== null && row["version"] !== expected.version) throw otherVersion(expected.code, row["version"]);
}

export function otherVersion(code: Expected["code"], version: unknown): GatewayError {
  return new GatewayError(code, "It was changed meanwhile.", {
    hint: "Read it again, and repeat the change if it still makes sense.",
    details: { version },
  });
}
