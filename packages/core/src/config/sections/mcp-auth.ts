import { z } from "zod";
import { durationMs, secret, url } from "./values.js";

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, "a header's name, such as X-API-Key")
  .transform((name) => name.toLowerCase());

const oauth = z
  .strictObject({
    type: z.literal("oauth"),
    grant: z.enum(["client_credentials", "authorization_code", "token_exchange"]).default("authorization_code"),
    credentials: z
      .enum(["shared", "perUser"])
      .default("shared")
      .describe("shared: one sign-in for all callers; perUser: each caller signs in, over connections of its own"),
    issuer: url
      .optional()
      .describe("the only authorization server that is used; left out: the one that the server names, held to from then on"),
    tokenUrl: url.optional().describe("by hand, without discovery"),
    authorizationUrl: url.optional().describe("by hand, beside tokenUrl"),
    clientId: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe("left out: a client-id metadata document of access.publicUrl, else dynamic registration"),
    clientSecret: secret.optional(),
    endpointAuthStyle: z
      .enum(["header", "params"])
      .optional()
      .describe("where the client secret goes: HTTP Basic or the body; left out: what the authorization server says"),
    scope: z.string().min(1).max(2_000).optional().describe("left out: what the server asks for"),
    resource: z
      .union([url, z.literal("none")])
      .optional()
      .describe("the resource indicator; left out: what the server says, else its URL; none: it is not sent"),
    prompt: z.string().min(1).max(100).optional().describe("of the authorization request, such as consent"),
    refreshMaxLifetimeMs: durationMs
      .max(31_622_400_000)
      .optional()
      .describe("how long a sign-in can be refreshed at this authorization server"),
  })
  .check(({ value, issues }) => {
    const refuse = (path: string, message: string): void => void issues.push({ code: "custom", path: [path], message, input: value });
    const { grant, credentials, clientId, clientSecret, issuer, tokenUrl, authorizationUrl, endpointAuthStyle } = value;
    const byHand = tokenUrl !== undefined;
    if (clientSecret !== undefined && clientId === undefined) refuse("clientId", "a client secret belongs to a client id");
    // A server that may be anybody's must not say to whom the secret is sent (T15).
    if (clientSecret !== undefined && issuer === undefined && !byHand)
      refuse("issuer", "a client secret is sent only to an authorization server that is named here: give issuer, or tokenUrl");
    if (endpointAuthStyle !== undefined && clientSecret === undefined)
      refuse("endpointAuthStyle", "says where the client secret goes, and there is none");
    if (byHand && clientId === undefined) refuse("clientId", "is needed where the addresses are given by hand");
    if (authorizationUrl !== undefined && !byHand) refuse("authorizationUrl", "stands beside tokenUrl");
    if (grant === "authorization_code" && byHand && authorizationUrl === undefined)
      refuse("authorizationUrl", "is needed beside tokenUrl for authorization_code");
    if (grant !== "authorization_code" && clientSecret === undefined) refuse("clientSecret", `is needed for ${grant}`);
    if (grant === "client_credentials" && credentials === "perUser")
      refuse("credentials", "client credentials are no user's: they are shared");
    if (grant === "token_exchange" && credentials === "shared") refuse("credentials", "a token is exchanged for each user: say perUser");
  });

/** How the gateway says who it is to a server with a URL. */
export const mcpAuthSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("none") }),
  z.strictObject({ type: z.literal("bearer"), token: secret }),
  z.strictObject({
    type: z.literal("apiKey"),
    header: headerName.default("x-api-key"),
    value: secret,
    prefix: z.string().max(40).optional().describe("before the value, such as Token"),
  }),
  oauth,
]);
export type McpAuthConfig = z.output<typeof mcpAuthSchema>;
export type McpOAuthConfig = Extract<McpAuthConfig, { type: "oauth" }>;
export type McpAuthInput = z.input<typeof mcpAuthSchema>;
