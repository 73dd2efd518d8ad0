import { GatewayError } from "../../errors/index.js";
import type { CallSeries } from "./call-counts.js";
import type { Histogram } from "./histogram.js";

type PromClient = typeof import("prom-client");
type Labels = Readonly<Record<string, string | number>>;
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly samples: () => readonly Sample[];
}
/** A metric as prom-client's registry asks for it: ours are counted elsewhere and written by it. */
interface Written {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  get(): Promise<{ name: string; help: string; type: string; values: { metricName?: string; labels: Labels; value: number }[] }>;
}

export interface PrometheusOptions {
  readonly calls: () => Iterable<CallSeries>;
  readonly gauges: readonly Gauge[];
  /** For tests. */
  readonly load?: (() => Promise<PromClient>) | undefined;
}

/** One of the process, whichever gateway asks: garbage collection and the delay of the event loop are nobody's alone. */
const ofProcess = new WeakMap<PromClient, InstanceType<PromClient["Registry"]>>();

/** The counts in Prometheus' text format, by prom-client and a registry of this gateway's own. It is loaded when somebody first asks. */
export class Prometheus {
  readonly #o: PrometheusOptions;
  #registry: Promise<{
    readonly own: InstanceType<PromClient["Registry"]>;
    readonly process: InstanceType<PromClient["Registry"]>;
  }> | null = null;

  constructor(options: PrometheusOptions) {
    this.#o = options;
  }

  /** Errors: `missing_dependency` with the install command. */
  async text(): Promise<{ readonly contentType: string; readonly text: string }> {
    const { own, process } = await (this.#registry ??= this.#open().catch((error: unknown) => {
      this.#registry = null;
      throw error;
    }));
    return { contentType: own.contentType, text: `${await own.metrics()}\n${await process.metrics()}` };
  }

  async #open() {
    const client = await loaded(this.#o.load ?? (() => import("prom-client")));
    const own = new client.Registry();
    for (const metric of [...callMetrics(this.#o.calls), ...this.#o.gauges.map(gaugeMetric)]) own.registerMetric(metric as never);
    let process = ofProcess.get(client);
    if (process === undefined) {
      ofProcess.set(client, (process = new client.Registry()));
      client.collectDefaultMetrics({ register: process });
    }
    return { own, process };
  }
}

async function loaded(load: () => Promise<PromClient>): Promise<PromClient> {
  try {
    const module = await load();
    // It is CommonJS: some loaders give only its default.
    return "Registry" in module ? module : (module as { default: PromClient }).default;
  } catch (error) {
    throw new GatewayError("missing_dependency", "GET /metrics needs the package prom-client, which could not be loaded.", {
      hint: "npm install prom-client",
      cause: error,
    });
  }
}

function metric(
  name: string,
  help: string,
  o: { readonly type: string; readonly values: () => Iterable<{ metricName?: string } & Sample> },
): Written {
  const { type } = o;
  return { name, help, type, get: () => Promise.resolve({ name, help, type, values: [...o.values()] }) };
}

function gaugeMetric({ name, help, type, samples }: Gauge): Written {
  return metric(name, help, { type, values: samples });
}

function callMetrics(calls: () => Iterable<CallSeries>): readonly Written[] {
  const counter = (name: string, help: string, samplesOf: (series: CallSeries) => Iterable<Sample>): Written =>
    metric(name, help, {
      type: "counter",
      *values() {
        for (const series of calls()) yield* samplesOf(series);
      },
    });
  const histogram = (name: string, help: string, of: (series: CallSeries) => Histogram): Written =>
    metric(name, help, {
      type: "histogram",
      *values() {
        for (const series of calls()) if (of(series).count > 0) yield* buckets(name, series.labels, of(series));
      },
    });
  return [
    counter(
      "sallyport_calls_total",
      "Model and tool calls that are over, by the status that the caller saw.",
      by("status", (s) => s.byStatus),
    ),
    counter(
      "sallyport_call_failures_total",
      "Calls that ended with an error, by its code.",
      by("code", (s) => s.byCode),
    ),
    histogram("sallyport_call_duration_seconds", "How long calls took, whole.", (series) => series.durations),
    histogram("sallyport_time_to_first_token_seconds", "When streamed answers began.", (series) => series.firstTokens),
    counter(
      "sallyport_attempts_total",
      "How often a provider or server was asked.",
      one((series) => series.attempts),
    ),
    counter(
      "sallyport_attempt_failures_total",
      "Attempts that failed, by the code.",
      by("code", (s) => s.failedAttempts),
    ),
    counter("sallyport_tokens_total", "Tokens that were counted, by kind; kinds do not overlap.", tokens),
    counter(
      "sallyport_cost_usd_total",
      "What calls cost, as far as prices are known, in US dollars.",
      one((series) => series.costUsd),
    ),
  ];
}

function one(value: (series: CallSeries) => number): (series: CallSeries) => Iterable<Sample> {
  return (series) => (value(series) === 0 ? [] : [{ labels: series.labels, value: value(series) }]);
}

function by(label: string, counts: (series: CallSeries) => ReadonlyMap<string | number, number>): (series: CallSeries) => Iterable<Sample> {
  return (series) => [...counts(series)].map(([key, value]) => ({ labels: { ...series.labels, [label]: key }, value }));
}

function tokens(series: CallSeries): Iterable<Sample> {
  const kinds = {
    input: series.inputTokens,
    cache_read: series.cacheReadTokens,
    cache_write: series.cacheWriteTokens,
    output: series.outputTokens,
    reasoning: series.reasoningTokens,
  };
  return Object.entries(kinds)
    .filter(([, value]) => value > 0)
    .map(([type, value]) => ({ labels: { ...series.labels, type }, value }));
}

function* buckets(name: string, labels: Labels, histogram: Histogram): Generator<{ metricName: string } & Sample> {
  let below = 0;
  for (const [i, bound] of histogram.bounds.entries()) {
    below += histogram.counts[i]!;
    yield { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below };
  }
  yield { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: histogram.count };
  yield { metricName: `${name}_sum`, labels, value: histogram.sum };
  yield { metricName: `${name}_count`, labels, value: histogram.count };
}
