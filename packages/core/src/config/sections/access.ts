import { z } from "zod";
import { nameSchema, personaSchema } from "../../entities/index.js";
import { Secret } from "../../util/secret.js";
import { resourceServerSection } from "./resource-server.js";

const durationMs = z.int().min(1).max(31_622_400_000);
const secret = z
  .union([z.instanceof(Secret), z.string().min(1)])
  .transform((value) => (typeof value === "string" ? new Secret(value) : value));
const url = z.url({ protocol: /^https?$/, error: "an http(s) URL such as https://login.example.com" });

const oidcProvider = z.strictObject({
  issuer: url.describe("exactly as its discovery document names it"),
  clientId: z.string().min(1).max(300),
  clientSecret: secret.optional().describe("left out: a public client, by PKCE alone"),
  scopes: z.array(z.string().min(1).max(100)).max(20).default(["openid", "profile", "email"]),
  groupsClaim: z.string().min(1).max(200).default("groups"),
  groupRoles: z
    .record(z.string().min(1).max(200), z.string().min(1).max(64))
    .default({})
    .describe("role by group, given and taken at each sign-in"),
  allowedDomains: z.array(z.string().min(1).max(253)).optional().describe("of e-mail addresses that the provider verified; left out: any"),
  project: z.string().min(1).max(64).default("default").describe("where its users belong, and the roles of their groups hold"),
});
export type OidcProviderConfig = z.output<typeof oidcProvider>;

export const USUAL_IDLE_MS = 43_200_000;

/** Who is calling, and how people sign in. */
export const accessSection = z
  .strictObject({
    maxStaleMs: z.int().min(1).max(86_400_000).default(10_000),
    publicUrl: url.optional().describe("how browsers reach the gateway, with the path that it is mounted at; left out: by the Host header"),
    sessions: z
      .strictObject({
        idleMs: durationMs.default(USUAL_IDLE_MS).describe("a session that is not used for so long is over"),
        maxMs: durationMs.default(604_800_000).describe("and one that is this old, however it is used"),
      })
      .prefault({}),
    oidc: z.record(nameSchema, oidcProvider).default({}).describe("OpenID providers that people may sign in with"),
    personas: z.record(nameSchema, personaSchema).default({}).describe("what callers may use of MCP servers, whatever they are granted"),
    resourceServer: resourceServerSection.optional().describe("access tokens that MCP clients may show; left out: none"),
  })
  .check(({ value, issues }) => {
    if (value.resourceServer === undefined || value.publicUrl !== undefined) return;
    issues.push({
      code: "custom",
      path: ["publicUrl"],
      message: "is needed beside resourceServer: tokens are for that address",
      input: value,
    });
  })
  .prefault({});
