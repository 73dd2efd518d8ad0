import { z } from "zod";
import { url } from "./values.js";

const issuer = z.strictObject({
  issuer: url.describe("exactly as its tokens and its metadata name it"),
  jwksUrl: url.optional().describe("where its public keys are; left out: as its metadata says"),
  audience: z
    .array(z.string().min(1).max(2_000))
    .min(1)
    .optional()
    .describe("what a token has to be for, any of these; left out: access.publicUrl, or the very MCP address below it that is asked"),
  algorithms: z
    .array(z.enum(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]))
    .min(1)
    .default(["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]),
  scopes: z
    .record(
      z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, "a scope has no blanks, quotes or backslashes"),
      z.array(z.string().min(1).max(200)),
    )
    .describe("what callers may do by each scope: grants such as mcp:files__*; a scope that does not stand here gives nothing"),
  project: z.string().min(1).max(64).default("default").describe("where its callers belong"),
});

/** Access tokens of authorization servers as credentials at the MCP addresses. */
export const resourceServerSection = z.strictObject({ issuers: z.array(issuer).min(1).max(20) });
