import type { Context, Span, Tracer } from "@opentelemetry/api";
import type { HttpAnswer, Inbound } from "../../calls/index.js";
import type { Clock } from "../../ports/index.js";
import { traceparentOf, tracestateOf } from "../../util/encoding/trace-parent.js";
import { OWN } from "./conventions.js";
import type { OtelApi } from "./load-api.js";

export interface RequestSpansOptions {
  readonly api: OtelApi;
  readonly tracer: Tracer;
  readonly clock: Clock;
}

/** The context that a `traceparent` names, as the parent of what comes here. */
export function remoteContext(api: OtelApi, traceparent: string, tracestate: string | null): Context {
  return api.trace.setSpanContext(api.ROOT_CONTEXT, {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53, 55), 16),
    isRemote: true,
    ...(tracestate === null ? {} : { traceState: api.createTraceState(tracestate) }),
  });
}

/** `traceparent` and, if there is one, `tracestate` of a span. */
export function traceHeaders(span: Span): [string, string][] {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const headers: [string, string][] = [["traceparent", `00-${traceId}-${spanId}-${(traceFlags & 1).toString().padStart(2, "0")}`]];
  const state = traceState?.serialize();
  if (state !== undefined && state !== "") headers.push(["tracestate", state]);
  return headers;
}

/**
 * One span for each request, from its head to the last byte of its answer. It is the child of a span that the program itself has open for the request, or of what the client's `traceparent` names; the
 * calls in it are its children.
 */
export class RequestSpans {
  readonly #o: RequestSpansOptions;
  constructor(options: RequestSpansOptions) {
    this.#o = options;
  }

  async handle(inbound: Inbound, next: (inbound: Inbound) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const { api, tracer, clock } = this.#o;
    const attributes = { "http.request.method": known(inbound.method), "url.path": inbound.path.slice(0, 200) };
    const span = tracer.startSpan(
      known(inbound.method),
      { kind: api.SpanKind.SERVER, attributes, startTime: clock.now() },
      this.#parentOf(inbound),
    );
    try {
      const answer = await next(within(inbound, new Map(traceHeaders(span))));
      span.setAttribute("http.response.status_code", answer.status);
      const requestId = answer.headers.find(([name]) => name === "x-sallyport-request-id")?.[1];
      if (requestId !== undefined) span.setAttribute(OWN.requestId, requestId);
      if (answer.status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
      return {
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
        done: (how, code) => {
          answer.done(how, code);
          if (how !== "sent") span.setAttribute("error.type", code ?? how);
          span.end(clock.now());
        },
      };
    } catch (error) {
      span.setStatus({ code: api.SpanStatusCode.ERROR });
      span.end(clock.now());
      throw error;
    }
  }

  #parentOf(inbound: Inbound): Context {
    const { api } = this.#o;
    const active = api.context.active();
    if (api.trace.getSpan(active) !== undefined) return active;
    const traceparent = traceparentOf(inbound.header("traceparent"));
    return traceparent === null ? active : remoteContext(api, traceparent, tracestateOf(inbound.header("tracestate")));
  }
}

const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]);
/** Source: the HTTP conventions, for methods that clients make up. */
function known(method: string): string {
  return methods.has(method) ? method : "_OTHER";
}

/** The same request, to whoever reads these headers. */
function within(inbound: Inbound, headers: ReadonlyMap<string, string>): Inbound {
  const { method, path, query, basePath, remoteAddress, raw } = inbound;
  return {
    ...{ method, path, query, basePath, remoteAddress, raw },
    get signal() {
      return inbound.signal;
    },
    header: (name) => headers.get(name) ?? (name === "tracestate" ? undefined : inbound.header(name)),
    body: (maxBytes) => inbound.body(maxBytes),
  };
}
