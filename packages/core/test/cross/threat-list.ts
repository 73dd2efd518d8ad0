/**
 * Which file tests which threat: the id stands in the title of a test, or of what holds tests together, in each of its files. Files are named from the repository's root.
 */
export const threatList: Readonly<Record<string, readonly string[]>> = {
  T03: [
    "packages/core/test/threats/injection.test.ts",
    "packages/adapters-sqlite/test/injection.test.ts",
    "packages/adapters-sqlite/src/parameters.test.ts",
    "packages/core/test/access/keys.test.ts",
  ],
  T04: ["packages/core/test/resources/permissions.test.ts", "packages/core/src/access/permissions.test.ts"],
  T05: [
    "packages/core/src/access/grants/scope-cover.test.ts",
    "packages/core/src/access/keys/key-index.test.ts",
    "packages/core/test/access/keys.test.ts",
  ],
  T06: ["packages/core/test/node/path-confusion.test.ts", "packages/core/test/resources/creations.test.ts"],
  T07: [
    "packages/core/test/http/edge-access.test.ts",
    "packages/core/test/access/keys.test.ts",
    "packages/core/test/threats/stored-as-credentials.test.ts",
  ],
  T08: ["packages/core/src/policy/response-cache/cache-key.test.ts", "packages/core/test/policy/semantic-cache.test.ts"],
  T09: ["packages/core/src/policy/response-cache/response-cache.test.ts", "packages/core/test/policy/response-cache.test.ts"],
  T10: [
    "packages/core/src/secrets/secrets.test.ts",
    "packages/core/src/access/purpose-keys.test.ts",
    "packages/core/test/threats/stored-as-credentials.test.ts",
  ],
  T11: [
    "packages/core/src/platform/http/address-guard.test.ts",
    "packages/core/src/platform/http/http-client.test.ts",
    "packages/core/test/mcp/failures.test.ts",
    "packages/core/test/resources/providers.test.ts",
  ],
  T12: ["packages/core/src/platform/http/http-client.test.ts"],
  T13: ["packages/core/src/platform/http/http-client.test.ts"],
  T14: [
    "packages/core/test/threats/caller-headers.test.ts",
    "packages/core/test/routing/relay.test.ts",
    "packages/core/test/mcp/failures.test.ts",
  ],
  T15: ["packages/core/test/threats/authorization-servers.test.ts"],
  T16: [
    "packages/core/test/threats/handles.test.ts",
    "packages/core/test/mcp/legacy-face.test.ts",
    "packages/core/test/media/vendor-handles.test.ts",
    "packages/core/test/access/keys.test.ts",
  ],
  T17: ["packages/core/test/http/edge-access.test.ts"],
  T19: ["packages/core/src/access/grants/scope-cover.test.ts"],
  T20: [
    "packages/core/src/mcp/lanes/headers.test.ts",
    "packages/core/test/mcp/fidelity.test.ts",
    "packages/core/src/platform/http/http-client.test.ts",
  ],
  T21: ["packages/core/test/safety/every-byte.test.ts", "packages/core/test/safety/tools.test.ts"],
  T26: [
    "packages/core/test/threats/canaries.test.ts",
    "packages/core/test/telemetry/canaries.test.ts",
    "packages/core/test/http/secrets-kept.test.ts",
    "packages/core/src/secrets/secrets.test.ts",
  ],
  T28: ["packages/core/test/threats/defaults.test.ts"],
  T29: ["tools/lockfile.test.mjs"],
  T30: [
    "packages/core/test/money/ledger.test.ts",
    "packages/core/test/money/aborts.test.ts",
    "packages/core/src/memory/rolling-window.test.ts",
  ],
  T31: ["packages/core/src/platform/http/http-client.test.ts"],
  T38: ["packages/core/test/access/oidc.test.ts"],
  T39: ["packages/core/test/access/sign-in.test.ts"],
  T40: ["packages/core/test/access/sign-in.test.ts", "packages/core/test/access/keys.test.ts"],
  T41: [
    "packages/core/test/threats/exhaustion.test.ts",
    "packages/core/test/http/edge-body.test.ts",
    "packages/core/src/platform/http/http-client.test.ts",
  ],
  T42: ["packages/core/src/policy/guardrails/own-patterns.long.test.ts", "packages/core/src/policy/guardrails/detectors.test.ts"],
  T43: [
    "packages/core/test/http/edge-body.test.ts",
    "packages/core/src/util/json-checks/json-fault.test.ts",
    "packages/core/src/routes/resources/derivations.test.ts",
    "packages/core/test/resources/routes.test.ts",
  ],
  T44: ["packages/core/test/mcp/modern-face.test.ts", "packages/core/test/mcp/fidelity.test.ts"],
  T45: ["packages/core/test/threats/handles.test.ts"],
  T46: ["packages/core/test/telemetry/hostile-log.test.ts", "packages/core/test/telemetry/audit.test.ts"],
  T47: ["packages/core/test/threats/poisoned-rows.test.ts", "packages/core/src/access/keys/key-index.test.ts"],
};

/** What of a threat no test can show yet, and why. */
export const notYetShown: Readonly<Record<string, string>> = {
  T12: "A name that changes between two answers is asked of a resolver of the test's own; a real DNS server with a time to live of 0 is not at hand everywhere.",
  T15: "Nobody signs in at an MCP server by OAuth yet: there is no token that a changed issuer could be sent. What is shown is that nothing follows such a server.",
  T20: "Tools that are made of an OpenAPI description are not there yet, so there are no path, query or body slots to break out of. What is shown is MCP's own headers.",
  T29: "That a build from a clean clone is the same byte for byte needs a second machine.",
  T38: "Tokens of a resource server's own (RFC 9068) are not accepted as credentials yet; what is shown is the ID token of an OpenID sign-in.",
  T41: "Ten thousand idle streams and a list of a million tools are a load test, and not of this suite.",
  T45: "The request state of MCP's multi-round requests is not made yet; what is shown are the tokens, responses and sessions that callers hold today.",
};
