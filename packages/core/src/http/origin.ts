import type { Inbound } from "../calls/index.js";
import type { Origin } from "../seams/index.js";
import { traceparentOf, tracestateOf } from "../util/encoding/trace-parent.js";
import { cutText } from "../util/well-formed.js";

const PURPOSE_CHARACTERS = 500;
/** Of a request that says nothing of itself, as most do. */
const plain: Readonly<Record<"http" | "mcp", Origin>> = {
  http: { source: "http", purpose: null, traceparent: null, tracestate: null },
  mcp: { source: "mcp", purpose: null, traceparent: null, tracestate: null },
};

/** What a request's headers say of the call: `x-sallyport-purpose`, why it is made, and the trace that it belongs to. */
export function originOf(inbound: Pick<Inbound, "header">, source: "http" | "mcp" = "http"): Origin {
  const purpose = inbound.header("x-sallyport-purpose");
  const traceparent = traceparentOf(inbound.header("traceparent"));
  if (traceparent === null && purpose === undefined) return plain[source];
  return {
    source,
    purpose: purpose === undefined || purpose === "" ? null : cutText(purpose, PURPOSE_CHARACTERS),
    traceparent,
    tracestate: traceparent === null ? null : tracestateOf(inbound.header("tracestate")),
  };
}
