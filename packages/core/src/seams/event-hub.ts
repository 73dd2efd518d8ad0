import { EventEmitter } from "eventemitter3";

/** What `gateway.on(name, listener)` can hear: ids and numbers, never content. */
export interface GatewayEvents {
  "call.finished": (e: {
    readonly callId: string;
    readonly requestId: string;
    readonly kind: "model" | "tool";
    readonly name: string;
    readonly status: number;
    readonly durationMs: number;
  }) => void;
  "run.changed": (e: { readonly runId: string; readonly status: string }) => void;
  "session.changed": (e: { readonly sessionId: string; readonly what: "created" | "updated" | "appended" | "deleted" }) => void;
  "task.changed": (e: { readonly taskId: string; readonly type: string; readonly status: string }) => void;
  "server.changed": (e: { readonly server: string; readonly connected: boolean; readonly error: string | null }) => void;
  /** Entries of a server's list are not shown, as no client could use them: how many, and of the first of them why. */
  "server.left_out": (e: {
    readonly server: string;
    readonly list: "tools" | "resources" | "resourceTemplates" | "prompts";
    readonly count: number;
    readonly why: readonly string[];
  }) => void;
  /** A server shows a tool whose definition nobody approved. `quarantined`: it is neither listed nor callable until somebody does. */
  "tool.changed": (e: {
    readonly pinId: string;
    readonly server: string;
    readonly tool: string;
    readonly status: "new" | "changed";
    readonly quarantined: boolean;
  }) => void;
  /** A person decided on a tool's definition. */
  "tool.decided": (e: {
    readonly pinId: string;
    readonly server: string;
    readonly tool: string;
    readonly status: "approved" | "rejected";
  }) => void;
  /** What processes share through Redis is there (again), or is not; the first time when it was reached or could not be. */
  "redis.changed": (e: { readonly connected: boolean }) => void;
  "approval.requested": (e: { readonly approvalId: string; readonly tool: string; readonly runId: string | null }) => void;
  "approval.decided": (e: {
    readonly approvalId: string;
    readonly status: "approved" | "denied" | "expired";
    readonly runId: string | null;
  }) => void;
  /** A call needs a caller's sign-in at a server: an item of the inbox was opened, or was closed. */
  "sign_in.requested": (e: { readonly itemId: string; readonly server: string }) => void;
  "sign_in.ended": (e: { readonly itemId: string; readonly server: string; readonly status: "approved" | "denied" | "expired" }) => void;
  /** A guardrail found something; what it was stands in the ledger of detections. */
  "guardrail.detected": (e: {
    readonly detectionId: string;
    readonly callId: string;
    readonly requestId: string;
    readonly guardrail: string;
    readonly stage: "input" | "output" | "arguments" | "results";
    readonly type: string;
    readonly severity: "low" | "medium" | "high" | "critical";
    readonly action: "block" | "mask" | "warn" | "log";
  }) => void;
  /** So much of a budget's amount is spent; once for each of its thresholds in a period, by whichever process saw it first. Amounts are decimal dollars. */
  "budget.threshold": (e: {
    readonly budgetId: string;
    readonly windowId: string;
    readonly projectId: string;
    readonly percent: number;
    readonly spentUsd: string;
    readonly limitUsd: string;
    /** null: it never begins anew. */
    readonly resetsAtMs: number | null;
  }) => void;
  /** A hard budget refused a call. */
  "budget.exceeded": (e: { readonly budgetId: string; readonly windowId: string }) => void;
  /** A cost that cannot be true was cut to what can; null: nobody knows what it was. */
  "usage.clamped": (e: {
    readonly callId: string;
    readonly requestId: string;
    readonly saidNanoUsd: number;
    readonly costNanoUsd: number | null;
  }) => void;
  /** A call whose process is gone was settled by this one. */
  "call.reconciled": (e: { readonly callId: string; readonly requestId: string; readonly costNanoUsd: number | null }) => void;
  /** What the response cache did for a call of a route that has one. `rejected`: a value that was not kept by this gateway was thrown away. */
  "cache.used": (e: { readonly callId: string | null; readonly result: "hit" | "miss" | "bypass" | "rejected" }) => void;
  /** A resource of an MCP server that lets it be kept for a while was kept, or served from what was kept. */
  "resource.cached": (e: { readonly callId: string; readonly server: string; readonly result: "hit" | "kept" }) => void;
  /** An alert began, was acknowledged by a person, or ended. */
  "alert.changed": (e: {
    readonly alertId: string;
    readonly ruleId: string;
    readonly status: "firing" | "acknowledged" | "resolved";
    readonly severity: "info" | "warning" | "critical";
  }) => void;
  /** Settings took other values in this process, whoever changed them. Keys such as `limits.per_key.requests_per_minute`. */
  "config.changed": (e: { readonly keys: readonly string[] }) => void;
  /** A stored setting is not valid and does not count; once for each version of it. The log says what is wrong. */
  "config.refused": (e: { readonly key: string; readonly version: number }) => void;
  /** A process on this store began, changed what it does, or went, as this process sees it. */
  "node.changed": (e: { readonly nodeId: string; readonly state: "starting" | "ready" | "draining" | "gone" }) => void;
  /** A listener or a step's leave threw, or something of ours failed in the background. */
  "internal.error": (e: { readonly where: string; readonly error: unknown }) => void;
}

/** The one event map of a gateway. A listener cannot fail a call: what it throws becomes `internal.error`. */
export class EventHub {
  readonly #emitter = new EventEmitter();

  on<N extends keyof GatewayEvents>(name: N, listener: GatewayEvents[N]): () => void {
    this.#emitter.on(name, listener as (e: unknown) => void);
    return () => this.#emitter.off(name, listener as (e: unknown) => void);
  }

  emit<N extends keyof GatewayEvents>(name: N, event: Parameters<GatewayEvents[N]>[0]): void {
    for (const listener of this.#emitter.listeners(name)) {
      try {
        const result: unknown = (listener as (e: unknown) => unknown)(event);
        if (isThenable(result)) Promise.resolve(result).catch((error: unknown) => this.#failed(name, error));
      } catch (error) {
        this.#failed(name, error);
      }
    }
  }

  #failed(name: keyof GatewayEvents, error: unknown): void {
    if (name !== "internal.error") this.emit("internal.error", { where: `a listener of ${name}`, error });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
