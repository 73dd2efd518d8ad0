import type { Context, Span, Tracer } from "@opentelemetry/api";
import type { CallHead, ModelAnswer, Outcome } from "../../calls/index.js";
import type { OpenCall, TraceContext } from "../../policy/step.js";
import type { Clock } from "../../ports/index.js";
import type { EventHub } from "../../seams/index.js";
import type { CallObserver } from "../watch-calls.js";
import { attemptAttributes, beginAttributes, endAttributes, errorType, spanName } from "./call-attributes.js";
import { ATTR, INVOKE_AGENT, OWN } from "./conventions.js";
import type { OtelApi } from "./load-api.js";
import type { OtelMetrics } from "./otel-metrics.js";
import { remoteContext, traceHeaders } from "./request-spans.js";

/** How content is shown. */
export interface ShownContent {
  /** Redacted and cut. */
  readonly show: (text: string) => string;
  readonly answerOf: (call: OpenCall<CallHead>) => ModelAnswer | null;
}

export interface OtelTracingOptions {
  readonly api: OtelApi;
  readonly tracer: Tracer;
  /** null: spans alone. */
  readonly metrics: OtelMetrics | null;
  readonly clock: Clock;
  readonly propagate: { readonly vendors: boolean; readonly servers: boolean };
  readonly vendorOf: (provider: string) => string;
  /** Takes known secrets out of what callers wrote. */
  readonly redact: (text: string) => string;
  /** null: prompts, answers and arguments are not shown at all. */
  readonly content: ShownContent | null;
}

/** Runs whose span is open; one that is never told of its end does not stay for ever. */
const MOST_RUNS = 10_000;

/**
 * A span for each call, and one for each run that this process works on. The context is carried by the call itself: nothing is looked up in an AsyncLocalStorage, and nothing happens for a chunk.
 * Attempts of a call that needed several, and what policy did on its way, become spans when the call is over, with the times that they had.
 */
export class OtelTracing implements CallObserver {
  readonly #o: OtelTracingOptions;
  readonly #runs = new Map<string, Span>();

  constructor(options: OtelTracingOptions) {
    this.#o = options;
  }

  begin(call: OpenCall<CallHead>): (outcome: Outcome) => void {
    const { api, tracer } = this.#o;
    const span = tracer.startSpan(
      spanName(call.head, this.#o.redact),
      { kind: api.SpanKind.CLIENT, attributes: beginAttributes(call, this.#o.redact), startTime: call.startedAtMs },
      this.#parentOf(call),
    );
    call.trace ??= this.#contextOf(span);
    return (outcome) => {
      this.#o.metrics?.ended(call, outcome);
      if (span.isRecording()) this.#finish(span, call, outcome);
      span.end(this.#o.clock.now());
    };
  }

  /** Follows runs by the events of the gateway. Returns the end of it. */
  followRuns(events: EventHub): () => void {
    return events.on("run.changed", ({ runId, status }) => {
      if (status === "running") this.#beginRun(runId);
      else if (status !== "queued") this.#endRun(runId, status);
    });
  }

  #beginRun(runId: string): void {
    if (this.#runs.has(runId) || this.#runs.size >= MOST_RUNS) return;
    const { api, tracer, clock } = this.#o;
    const attributes = { [ATTR.operationName]: INVOKE_AGENT, [OWN.runId]: runId };
    const span = tracer.startSpan(INVOKE_AGENT, { kind: api.SpanKind.INTERNAL, attributes, startTime: clock.now() }, api.ROOT_CONTEXT);
    this.#runs.set(runId, span);
  }

  #endRun(runId: string, status: string): void {
    const span = this.#runs.get(runId);
    if (span === undefined) return;
    this.#runs.delete(runId);
    span.setAttribute(OWN.status, status);
    if (status !== "succeeded" && status !== "waiting") span.setStatus({ code: this.#o.api.SpanStatusCode.ERROR, message: status });
    span.end(this.#o.clock.now());
  }

  /** Ends what is open, for a gateway that closes. */
  close(): void {
    for (const span of this.#runs.values()) span.end(this.#o.clock.now());
    this.#runs.clear();
  }

  /** The run's span, or what the caller says it is part of. */
  #parentOf(call: OpenCall<CallHead>): Context {
    const { api } = this.#o;
    const run = call.runId === null ? undefined : this.#runs.get(call.runId);
    if (run !== undefined) return api.trace.setSpan(api.ROOT_CONTEXT, run);
    const { traceparent, tracestate } = call.origin ?? { traceparent: null, tracestate: null };
    return traceparent === null ? api.context.active() : remoteContext(api, traceparent, tracestate);
  }

  #contextOf(span: Span): TraceContext {
    const { traceId, spanId } = span.spanContext();
    const headers = traceHeaders(span);
    return { traceId, spanId, headers, toVendors: this.#o.propagate.vendors, toServers: this.#o.propagate.servers };
  }

  #finish(span: Span, call: OpenCall<CallHead>, outcome: Outcome): void {
    const { api, vendorOf, content } = this.#o;
    span.setAttributes(endAttributes(call, outcome, vendorOf));
    const error = errorType(outcome);
    if (error !== null && error !== "cancelled") span.setStatus({ code: api.SpanStatusCode.ERROR, message: error });
    if (content !== null) this.#showContent(span, call, content);
    if (call.meter.failures === null && call.spans === null) return;
    const within = api.trace.setSpan(api.ROOT_CONTEXT, span);
    this.#attempts(call, outcome, within);
    for (const noted of call.spans ?? []) {
      const child = this.#o.tracer.startSpan(
        noted.name,
        { kind: api.SpanKind.INTERNAL, startTime: noted.startedAtMs, attributes: { ...noted.attributes } },
        within,
      );
      if (noted.code !== undefined) child.setStatus({ code: api.SpanStatusCode.ERROR, message: noted.code });
      child.end(noted.startedAtMs + noted.durationMs);
    }
  }

  #attempts(call: OpenCall<CallHead>, outcome: Outcome, within: Context): void {
    if (call.meter.failures === null) return;
    const { api, tracer, clock, vendorOf } = this.#o;
    // Each has the time that it took; the first began with the call, and each later one when the one before it had ended.
    let atMs = call.startedAtMs;
    for (const [i, tried] of call.meter.tried(outcome, clock.now()).entries()) {
      const child = tracer.startSpan(
        `attempt ${i + 1}`,
        { kind: api.SpanKind.CLIENT, startTime: atMs, attributes: attemptAttributes(tried, vendorOf) },
        within,
      );
      if (tried.code !== null) child.setStatus({ code: api.SpanStatusCode.ERROR, message: tried.code });
      atMs += tried.durationMs;
      child.end(atMs);
    }
  }

  #showContent(span: Span, call: OpenCall<CallHead>, { show, answerOf }: ShownContent): void {
    const content = call.content();
    if (content.kind === "tool") {
      span.setAttribute(ATTR.toolCallArguments, show(content.arguments));
      return;
    }
    span.setAttribute(ATTR.inputMessages, show(JSON.stringify(content.call.messages)));
    const answer = answerOf(call);
    if (answer === null) return;
    span.setAttribute(ATTR.outputMessages, show(JSON.stringify(answer.candidates)));
    span.setAttribute(
      ATTR.finishReasons,
      answer.candidates.map(({ finishReason }) => finishReason),
    );
  }
}
