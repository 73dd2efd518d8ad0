import type { Meter, Tracer } from "@opentelemetry/api";
import type { CallHead, ModelAnswer } from "../../calls/index.js";
import type { OpenCall } from "../../policy/step.js";
import type { Config } from "../../config/schema.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import type { EventHub } from "../../seams/index.js";
import type { Log } from "../../util/log.js";
import type { CallObserver } from "../watch-calls.js";
import { langfuseSpans } from "./langfuse.js";
import { loadOtelApi, type OtelApi } from "./load-api.js";
import { OtelMetrics } from "./otel-metrics.js";
import { OtelTracing } from "./otel-tracing.js";
import { RequestSpans } from "./request-spans.js";

export interface OpenOtelOptions {
  readonly config: Config["telemetry"];
  /** It is on, or something was given in code. */
  readonly wanted: boolean;
  readonly tracer: Tracer | undefined;
  readonly meter: Meter | undefined;
  readonly clock: Clock;
  readonly events: EventHub;
  readonly log: Log;
  readonly version: string;
  readonly vendorOf: (provider: string) => string;
  readonly modelLabel: (provider: string | null, model: string | null) => string;
  readonly mask: (text: string) => string;
  readonly redact: (text: string) => string;
  /** What a model answered, where it was read; null: nobody looked. */
  readonly answerOf: (call: OpenCall<CallHead>) => ModelAnswer | null;
}

export interface OpenOtel {
  readonly observers: readonly CallObserver[];
  /** null: requests have no spans. */
  readonly requests: RequestSpans | null;
  close(): Promise<void>;
}

/** Opens what the configuration and the program want of OpenTelemetry and Langfuse. Errors: `missing_dependency` when OpenTelemetry is wanted and not there. */
export async function openOtel(o: OpenOtelOptions): Promise<OpenOtel> {
  const observers: OtelTracing[] = [];
  const closes: (() => Promise<void> | void)[] = [];
  let requests: RequestSpans | null = null;
  const observe = (api: OtelApi, tracer: Tracer, metrics: OtelMetrics | null): void => {
    const { clock, vendorOf, config } = o;
    const content = config.otel.content ? { show: o.mask, answerOf: o.answerOf } : null;
    const tracing = new OtelTracing({ api, tracer, metrics, clock, vendorOf, content, redact: o.redact, propagate: config.propagate });
    observers.push(tracing);
    closes.push(tracing.followRuns(o.events), () => tracing.close());
  };
  if (o.wanted) {
    const api = await loadOtelApi();
    const tracer = o.tracer ?? api.trace.getTracer("sallyport", o.version);
    const { clock, vendorOf, modelLabel } = o;
    observe(api, tracer, new OtelMetrics(o.meter ?? api.metrics.getMeter("sallyport", o.version), { clock, vendorOf, modelLabel }));
    requests = new RequestSpans({ api, tracer, clock });
  }
  const langfuse = await openLangfuse(o);
  if (langfuse !== null) {
    observe(langfuse.api, langfuse.tracer, null);
    // A vendor of traces that is down does not hold up the end.
    closes.push(() =>
      within(
        o.clock,
        langfuse.close().catch(() => undefined),
      ),
    );
  }
  return {
    observers,
    requests,
    close: async () => {
      for (const close of closes) await close();
    },
  };
}

/** Spans that are not sent by then are lost. */
const LAST_SPANS_MS = 2_000;

function within(clock: Clock, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.now() + LAST_SPANS_MS, resolve);
    void work.then(() => {
      cancel();
      resolve();
    });
  });
}

async function openLangfuse(o: OpenOtelOptions) {
  const { langfuse } = o.config;
  if (langfuse === undefined) return null;
  try {
    const api = await loadOtelApi();
    return { api, ...(await langfuseSpans(langfuse, { mask: o.mask, version: o.version })) };
  } catch (error) {
    const known = GatewayError.from(error);
    if (known.code !== "missing_dependency") throw error;
    o.log.warn("Langfuse is configured, and its packages are not installed: no spans are sent", { hint: known.hint });
    return null;
  }
}
