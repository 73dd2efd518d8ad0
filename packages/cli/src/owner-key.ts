import { randomBytes } from "node:crypto";

export type OwnerKeySource = "environment" | "stored";

/** As the operator gave it, or undefined. An empty variable counts as not set. */
export function givenOwnerKey(env: NodeJS.ProcessEnv): string | undefined {
  return env["SALLYPORT_OWNER_KEY"] || undefined;
}

/** 192 random bits, safe in headers and shells. */
export function makeOwnerKey(): string {
  return `sallyport_owner_${randomBytes(24).toString("base64url")}`;
}
