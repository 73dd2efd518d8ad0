import type { Histogram, Meter as OtelMeter } from "@opentelemetry/api";
import type { CallHead, Outcome } from "../../calls/index.js";
import type { OpenCall } from "../../policy/step.js";
import type { Clock } from "../../ports/index.js";
import { errorType, operationOf, usageAttributes } from "./call-attributes.js";
import { ATTR, DURATION_BOUNDS, METRIC, OWN, TOKEN_BOUNDS, TOOLS_CALL } from "./conventions.js";

export interface OtelMetricsOptions {
  readonly clock: Clock;
  readonly vendorOf: (provider: string) => string;
  /** A model's name as an attribute: listed ones by their name, all others as `other`. */
  readonly modelLabel: (provider: string | null, model: string | null) => string;
}

/** The conventions' metrics of model and tool calls. Attributes are bounded. */
export class OtelMetrics {
  readonly #o: OtelMetricsOptions;
  readonly #tokens: Histogram;
  readonly #durations: Histogram;
  readonly #firstChunks: Histogram;
  readonly #tools: Histogram;

  constructor(meter: OtelMeter, options: OtelMetricsOptions) {
    this.#o = options;
    const seconds = { unit: "s", advice: { explicitBucketBoundaries: [...DURATION_BOUNDS] } };
    this.#tokens = meter.createHistogram(METRIC.tokenUsage, {
      description: "Number of input and output tokens used.",
      unit: "{token}",
      advice: { explicitBucketBoundaries: [...TOKEN_BOUNDS] },
    });
    this.#durations = meter.createHistogram(METRIC.operationDuration, { description: "GenAI operation duration.", ...seconds });
    this.#firstChunks = meter.createHistogram(METRIC.timeToFirstChunk, { description: "Time to receive the first chunk.", ...seconds });
    this.#tools = meter.createHistogram(METRIC.mcpOperationDuration, { description: "The duration of an MCP request.", ...seconds });
  }

  ended(call: OpenCall<CallHead>, outcome: Outcome): void {
    const { meter, head } = call;
    const seconds = Math.max(0, this.#o.clock.now() - call.startedAtMs) / 1_000;
    const error = errorType(outcome);
    const failed = error === null ? {} : { [ATTR.errorType]: error };
    if (head.kind === "tool") {
      this.#tools.record(seconds, { [ATTR.mcpMethodName]: TOOLS_CALL, [OWN.server]: head.server, ...failed });
      return;
    }
    const attributes = {
      [ATTR.operationName]: operationOf(head),
      [ATTR.providerName]: meter.provider === null ? "none" : this.#o.vendorOf(meter.provider),
      [ATTR.responseModel]: this.#o.modelLabel(meter.provider, meter.model),
    };
    this.#durations.record(seconds, { ...attributes, ...failed });
    if (meter.beganAtMs > 0) this.#firstChunks.record(Math.max(0, meter.beganAtMs - call.startedAtMs) / 1_000, attributes);
    const usage = usageAttributes(meter.usage);
    const [input, output] = [usage[ATTR.inputTokens], usage[ATTR.outputTokens]];
    if (typeof input === "number") this.#tokens.record(input, { ...attributes, [ATTR.tokenType]: "input" });
    if (typeof output === "number") this.#tokens.record(output, { ...attributes, [ATTR.tokenType]: "output" });
  }
}
