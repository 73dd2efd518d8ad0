import type { Meter, Tracer } from "@opentelemetry/api";
import type { CallHead, HttpAnswer, Inbound, ModelEvent, ModelHead } from "../calls/index.js";
import { SYSTEM_CALLER } from "../calls/index.js";
import type { Config } from "../config/schema.js";
import type { Snapshot } from "../config/snapshot.js";
import { GatewayError } from "../errors/index.js";
import { auditChange } from "../policy/audit-change.js";
import type { GroupCommit } from "../policy/group-commit.js";
import type { OpenCall, Step } from "../policy/step.js";
import type { HttpClient } from "../ports/index.js";
import type { Services, Telemetry as TelemetrySeam } from "../seams/index.js";
import { cutText } from "../util/well-formed.js";
import { AlertEvaluator } from "./alerts/evaluator.js";
import { AlertLoop } from "./alerts/alert-loop.js";
import { channelActions } from "./alerts/channel-actions.js";
import { BUDGET_THRESHOLD } from "./alerts/measure.js";
import { Notifier } from "./alerts/notifier.js";
import { StoredAlerts } from "./alerts/stored-alerts.js";
import { StoredAuditTrail } from "./audit/audit-trail.js";
import { auditedParameters } from "./audit/parameters.js";
import { CallCounts } from "./metrics/call-counts.js";
import { gauges } from "./metrics/gauges.js";
import { Prometheus } from "./metrics/prometheus.js";
import { AnswersSeen } from "./otel/content-step.js";
import { openOtel, type OpenOtel } from "./otel/open-otel.js";
import { Retention } from "./retention.js";
import { keepSpans } from "./traces/keep-spans.js";
import { StoredTraces } from "./traces/stored-traces.js";
import { watchCalls, type CallObserver } from "./watch-calls.js";

/** What a program may give for OpenTelemetry instead of what it registered globally: `trace.getTracer(…)`, `metrics.getMeter(…)`. */
export interface OtelOptions {
  readonly tracer?: object | undefined;
  readonly meter?: object | undefined;
}

export interface TelemetryOptions {
  /** As it was at the start. */
  readonly config: Config;
  /** What of it can be changed is read here. */
  readonly snapshot: () => Snapshot;
  readonly ledger: GroupCommit;
  readonly http: HttpClient;
  readonly version: string;
  readonly otel?: OtelOptions | undefined;
  /** Whether the provider lists the model. */
  readonly isListed: (provider: string, model: string) => boolean;
  /** What the conventions call a provider of ours. */
  readonly vendorOf: (provider: string) => string;
  readonly breakers: () => readonly { readonly target: string; readonly state: string }[];
  /** Processes that are known to live. */
  readonly nodes: () => number;
}

/** What is told of content: so much of it, and nothing that is a known secret. */
const CONTENT_CHARACTERS = 32_768;

/**
 * Everything that tells of the gateway's work: counts, spans, the audit, alerts, and how long their rows are kept. What is off costs a call nothing; what is on is never waited for and fails no call.
 */
export class Telemetry implements TelemetrySeam {
  readonly audit: StoredAuditTrail;
  readonly traces: StoredTraces;
  readonly alerts: StoredAlerts;
  readonly #services: Services;
  readonly #o: TelemetryOptions;
  readonly #observers: CallObserver[] = [];
  readonly #prometheus: Prometheus | null;
  readonly #retention: Retention;
  readonly #loop: AlertLoop;
  readonly #stops: (() => void)[] = [];
  readonly #answers = new AnswersSeen();
  #otel: OpenOtel | null = null;

  constructor(services: Services, options: TelemetryOptions) {
    this.#services = services;
    this.#o = options;
    const { telemetry } = options.config;
    const current = (): Config => options.snapshot().config;
    this.audit = new StoredAuditTrail(services);
    this.traces = new StoredTraces(services);
    const everyMs = (): number => current().telemetry.alerts.everySeconds * 1_000;
    const evaluator = new AlertEvaluator(services, { everyMs });
    const tell = { services, http: options.http, config: telemetry.alerts };
    this.#loop = new AlertLoop(services, { evaluator, notifier: new Notifier(services, tell), everyMs });
    this.alerts = new StoredAlerts(services, { evaluator, tell, sendSoon: () => void this.#loop.sendSoon() });
    services.seams.resources.set("alertChannel", channelActions(telemetry.alerts));
    this.#retention = new Retention(services, () => current().retention);
    this.#prometheus = telemetry.metrics.enabled ? this.#counts() : null;
    if (telemetry.traces.enabled)
      this.#observers.push(
        keepSpans({ ledger: options.ledger, clock: services.clock, sample: () => current().telemetry.traces.sample, redact: this.redact }),
      );
    this.#auditBudgets();
  }

  /** Takes known secrets out of what callers wrote. */
  readonly redact = (text: string): string => this.#services.redactor.redact(text);

  /** Lets every call be seen; null when nobody looks. */
  step(): Step | null {
    const { telemetry } = this.#o.config;
    const isOn = this.#observers.length > 0 || this.#wantsOtel() || telemetry.langfuse !== undefined;
    return isOn ? watchCalls(this.#observers) : null;
  }

  /** Reads answers where content is told; null: nowhere. */
  contentStep(): Step<ModelHead, ModelEvent> | null {
    const { telemetry } = this.#o.config;
    const isTold = telemetry.otel.content && (this.#wantsOtel() || telemetry.langfuse !== undefined);
    return isTold ? this.#answers.step : null;
  }

  /** What the audit keeps of a tool call's arguments, as the call's snapshot says; null: nothing. */
  parameters(): (call: OpenCall<CallHead>) => unknown {
    return auditedParameters(this.#services.redactor);
  }

  /** Errors: `missing_dependency` when `telemetry.otel` is on and its package is not there. Langfuse that cannot be loaded is reported, and nothing fails. */
  async start(): Promise<void> {
    const { services, options } = { services: this.#services, options: this.#o };
    const { clock, events, log } = services;
    this.#otel = await openOtel({
      ...{ clock, events, log, version: options.version, vendorOf: options.vendorOf },
      config: options.config.telemetry,
      wanted: this.#wantsOtel(),
      tracer: options.otel?.tracer as Tracer | undefined,
      meter: options.otel?.meter as Meter | undefined,
      modelLabel: (provider, model) => (provider !== null && model !== null && options.isListed(provider, model) ? model : "other"),
      answerOf: (call) => this.#answers.of(call),
      redact: this.redact,
      mask: (text) => cutText(services.redactor.redact(text), CONTENT_CHARACTERS),
    });
    // Before those that store: they keep the trace that these make.
    this.#observers.unshift(...this.#otel.observers);
    this.#retention.start();
    this.#loop.start();
  }

  /** Lets a request be seen; the same when nobody looks. */
  request(inbound: Inbound, next: (inbound: Inbound) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const requests = this.#otel?.requests ?? null;
    return requests === null ? next(inbound) : requests.handle(inbound, next);
  }

  async metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    if (this.#prometheus === null)
      throw new GatewayError("not_found", "This gateway counts nothing.", { hint: "Set telemetry.metrics.enabled." });
    return this.#prometheus.text();
  }

  /** Ends the background work. What the ledger has is written by its owner. */
  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    await Promise.all([this.#loop.close(), this.#retention.close(), this.#otel?.close()]);
  }

  #wantsOtel(): boolean {
    const { otel } = this.#o;
    return this.#o.config.telemetry.otel.enabled || otel?.tracer !== undefined || otel?.meter !== undefined;
  }

  #counts(): Prometheus {
    const { services, options } = { services: this.#services, options: this.#o };
    const counts = new CallCounts({ clock: services.clock, isListed: options.isListed });
    this.#observers.push(counts);
    const made = gauges({
      services,
      ledgerQueue: () => options.ledger.waiting,
      breakers: options.breakers,
      underWay: () => counts.underWay,
      nodes: options.nodes,
    });
    this.#stops.push(made.stop);
    return new Prometheus({ calls: () => counts.series, gauges: made.gauges });
  }

  /** A threshold of a budget that was passed stands in the audit: alerts count it there, whichever node saw it. */
  #auditBudgets(): void {
    const { events, clock } = this.#services;
    this.#stops.push(
      events.on("budget.threshold", ({ budgetId, projectId, percent }) => {
        const caller = { ...SYSTEM_CALLER, projects: [projectId] as const };
        const write = auditChange(
          { caller, action: BUDGET_THRESHOLD, target: budgetId, resourceType: "budget", purpose: `${percent} % are spent` },
          clock.now(),
        );
        this.#o.ledger.add({ scope: { projects: [projectId] }, writes: [write] });
      }),
    );
  }
}
