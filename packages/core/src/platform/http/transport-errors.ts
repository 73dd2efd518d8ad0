import { GatewayError } from "../../errors/index.js";

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens there: check that the server runs, and its host and port.",
  ENOTFOUND: "Check the host name of the address.",
  EAI_AGAIN: "The name server did not answer: check the network.",
};

/**
 * What a failed exchange means. `phase` says whether the answer had begun; `details.cause` is the class of the failure, never an address or a header.
 */
export function transportError(error: unknown, phase: "head" | "body"): GatewayError {
  if (GatewayError.is(error)) return error;
  const code = codeOf(error);
  const options = { cause: error, details: { cause: code } };
  switch (code) {
    case "UND_ERR_ABORTED":
      return new GatewayError("cancelled", "The call was cancelled.", { cause: error });
    case "UND_ERR_CONNECT_TIMEOUT":
    case "ETIMEDOUT":
      return new GatewayError("upstream_timeout", "The server did not accept the connection in time.", options);
    case "UND_ERR_HEADERS_TIMEOUT":
      return new GatewayError("upstream_timeout", "The server did not begin to answer in time.", options);
    case "UND_ERR_BODY_TIMEOUT":
      return new GatewayError("upstream_timeout", "The server fell silent in the middle of its answer.", options);
    case "UND_ERR_INVALID_ARG":
      return new GatewayError("misconfigured", "A header or the path of the request is not valid in HTTP.", {
        ...options,
        hint: "Look for a line break or another control character in the configured address, headers or key.",
      });
    case "UND_ERR_CLOSED":
    case "UND_ERR_DESTROYED":
      return new GatewayError("shutting_down", "The gateway is closing.", options);
    case "UND_ERR_HEADERS_OVERFLOW":
      return new GatewayError("upstream_protocol", "The server's answer has too many or too large headers.", options);
    default:
      return unnamed(code, phase, options);
  }
}

function unnamed(code: string, phase: "head" | "body", options: { readonly cause: unknown; readonly details: { readonly cause: string } }) {
  // undici names the parser's own code only sometimes.
  if (code.startsWith("HPE_") || code === "HTTPParserError")
    return new GatewayError("upstream_protocol", `The server's answer is not valid HTTP (${code}).`, options);
  if (phase === "body")
    return new GatewayError("upstream_interrupted", `The connection broke in the middle of the answer (${code}).`, options);
  const tls = /CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO/.test(code);
  const hint =
    hints[code] ?? (tls ? "Its TLS certificate or protocol was not accepted: check the address and the certificate." : undefined);
  return new GatewayError("upstream_unavailable", `The server could not be reached (${code}).`, {
    ...options,
    ...(hint === undefined ? {} : { hint }),
  });
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "unknown";
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === "string") return code;
  return cause === undefined ? (error instanceof Error ? error.name : "unknown") : codeOf(cause);
}
