/** Who has to act: the caller, the operator of this gateway, an upstream vendor or server, or we ourselves. */
export type Blame = "caller" | "operator" | "upstream" | "gateway";

export interface CodeRow {
  /** HTTP status on our own face; a dialect may show its own (see `wire/<protocol>/encode-error`). */
  readonly status: number;
  /** Whether the same request may succeed if sent again later, unchanged. */
  readonly retryable: boolean;
  readonly blame: Blame;
  readonly summary: string;
}

/**
 * Every error code of Sallyport: the single source of status, retryability and blame.
 * Codes are stable names on the wire; `docs/reference/errors.md` has one heading for each, and a test holds the two together.
 */
export const codes = {
  bad_request: { status: 400, retryable: false, blame: "caller", summary: "The request is not understood." },
  invalid_json: { status: 400, retryable: false, blame: "caller", summary: "The body is not valid JSON." },
  validation_failed: { status: 400, retryable: false, blame: "caller", summary: "A field has a wrong type or value, or is unknown." },
  unauthenticated: { status: 401, retryable: false, blame: "caller", summary: "No credential, or one that is not valid." },
  budget_exceeded: { status: 402, retryable: false, blame: "caller", summary: "A budget does not allow this call." },
  forbidden: { status: 403, retryable: false, blame: "caller", summary: "The credential does not allow this." },
  host_refused: { status: 403, retryable: false, blame: "caller", summary: "The Host header is not one this gateway answers to." },
  origin_refused: { status: 403, retryable: false, blame: "caller", summary: "A web page of this origin may not call the gateway." },
  address_refused: {
    status: 403,
    retryable: false,
    blame: "caller",
    summary: "The address is private and was not configured by the operator.",
  },
  stdio_not_allowed: { status: 403, retryable: false, blame: "caller", summary: "The command is not in the operator's mcp.allowStdio." },
  approval_required: { status: 403, retryable: false, blame: "caller", summary: "A person has to approve this call first." },
  authorization_required: {
    status: 403,
    retryable: false,
    blame: "caller",
    summary: "The caller has to sign in at the MCP server first; details say where.",
  },
  content_blocked: { status: 403, retryable: false, blame: "caller", summary: "A guardrail refused the content." },
  tool_definition_changed: {
    status: 403,
    retryable: false,
    blame: "operator",
    summary: "The tool's definition is new or changed, and nobody approved it yet.",
  },
  not_found: { status: 404, retryable: false, blame: "caller", summary: "There is no such thing, or it is not visible to the caller." },
  model_not_found: { status: 404, retryable: false, blame: "caller", summary: "No provider owns a model of this name." },
  tool_not_found: { status: 404, retryable: false, blame: "caller", summary: "No server has a tool of this name." },
  unknown_resource_type: { status: 404, retryable: false, blame: "caller", summary: "The resource API has no such type." },
  method_not_allowed: { status: 405, retryable: false, blame: "caller", summary: "The path exists, but not with this method." },
  conflict: { status: 409, retryable: false, blame: "caller", summary: "It was changed meanwhile; read it again and repeat." },
  idempotency_key_reuse: { status: 409, retryable: false, blame: "caller", summary: "The idempotency key was used with another payload." },
  lease_lost: { status: 409, retryable: false, blame: "gateway", summary: "The worker no longer holds the work it wanted to change." },
  precondition_failed: { status: 412, retryable: false, blame: "caller", summary: "The row has another version than If-Match names." },
  payload_too_large: { status: 413, retryable: false, blame: "caller", summary: "The body is larger than this gateway accepts." },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    blame: "caller",
    summary: "The content type or encoding of the body is not supported.",
  },
  unsupported_feature: {
    status: 422,
    retryable: false,
    blame: "caller",
    summary: "The chosen model or vendor has no counterpart of a field.",
  },
  rate_limited: { status: 429, retryable: true, blame: "caller", summary: "A rate limit of this gateway was reached." },
  upstream_rate_limited: { status: 429, retryable: true, blame: "upstream", summary: "The vendor's rate limit was reached." },
  cancelled: { status: 499, retryable: false, blame: "caller", summary: "The caller cancelled, or went away." },
  internal: { status: 500, retryable: false, blame: "gateway", summary: "A defect of the gateway." },
  misconfigured: { status: 500, retryable: false, blame: "operator", summary: "The gateway is not set up for this." },
  invalid_config: { status: 500, retryable: false, blame: "operator", summary: "The configuration is not valid." },
  missing_dependency: { status: 500, retryable: false, blame: "operator", summary: "An optional package has to be installed first." },
  port_in_use: { status: 500, retryable: false, blame: "operator", summary: "Another program listens on the port." },
  state_corrupt: { status: 500, retryable: false, blame: "operator", summary: "Stored state could not be read back." },
  outcome_unknown: {
    status: 500,
    retryable: false,
    blame: "gateway",
    summary: "Something was begun, and nobody knows whether it was done.",
  },
  limit_reached: { status: 500, retryable: false, blame: "operator", summary: "A run reached its limit of steps or time." },
  upstream_rejected: { status: 400, retryable: false, blame: "upstream", summary: "The vendor or server refused the request as sent." },
  upstream_unavailable: {
    status: 502,
    retryable: true,
    blame: "upstream",
    summary: "The vendor or server could not be reached, or failed.",
  },
  upstream_protocol: {
    status: 502,
    retryable: true,
    blame: "upstream",
    summary: "The vendor or server sent what its protocol does not allow.",
  },
  upstream_interrupted: { status: 502, retryable: true, blame: "upstream", summary: "The answer broke off before it was complete." },
  upstream_credential: { status: 502, retryable: false, blame: "operator", summary: "The vendor refused the gateway's own credential." },
  tool_failed: { status: 502, retryable: false, blame: "upstream", summary: "The tool's server answered with an error." },
  store_unavailable: { status: 503, retryable: true, blame: "operator", summary: "The store could not be reached in time." },
  overloaded: { status: 503, retryable: true, blame: "gateway", summary: "The gateway is at its limit." },
  shutting_down: { status: 503, retryable: true, blame: "gateway", summary: "The gateway is closing." },
  upstream_timeout: { status: 504, retryable: true, blame: "upstream", summary: "The vendor or server did not answer in time." },
  deadline_exceeded: { status: 504, retryable: true, blame: "gateway", summary: "The deadline passed before the work was done." },
} as const satisfies Record<string, CodeRow>;

export type ErrorCode = keyof typeof codes;
