import type { Caller } from "../calls/index.js";
import type { AlertRow, AuditRow, TraceSpanRow, UsageRow } from "../entities/index.js";

/** Which rows of the audit are wanted; what is left out does not narrow. */
export interface AuditQuery {
  readonly actions?: readonly string[] | undefined;
  readonly outcomes?: readonly AuditVerdict[] | undefined;
  /** Ids of users, keys, teams. */
  readonly user?: string | undefined;
  readonly key?: string | undefined;
  readonly team?: string | undefined;
  /** A kind of row (`route`), or what was acted on. */
  readonly resource?: string | undefined;
  readonly source?: string | undefined;
  readonly requestId?: string | undefined;
  /** Stands, in any case of letters, in the action, the target, the purpose, the caller or the code. */
  readonly text?: string | undefined;
  /** Unix ms; `to` is exclusive. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}
export type AuditVerdict = "success" | "failure" | "blocked";
export interface Paged {
  readonly limit: number;
  readonly cursor?: string | undefined;
}
export interface Page<R> {
  readonly rows: readonly R[];
  /** A page may hold fewer rows than asked for, also none, and this say that there are more: a search looks at so many rows at a time. */
  readonly next: string | null;
}
export interface AuditStats {
  readonly total: number;
  readonly byOutcome: Readonly<Record<AuditVerdict, number>>;
  readonly byAction: Readonly<Record<string, number>>;
  readonly bySource: Readonly<Record<string, number>>;
  readonly fromMs: number;
  readonly toMs: number;
}
/** Who did what. Every method sees the rows of the caller's projects alone. */
export interface AuditTrail {
  /** Newest first. Errors: `bad_request` for a cursor of another list. */
  find(q: AuditQuery, page: Paged, caller: Caller): Promise<Page<AuditRow>>;
  /** All that match, newest first, a page of the store at a time. */
  pages(q: AuditQuery, caller: Caller): AsyncIterable<readonly AuditRow[]>;
  get(id: string, caller: Caller): Promise<AuditRow | null>;
  stats(q: Pick<AuditQuery, "fromMs" | "toMs">, caller: Caller): Promise<AuditStats>;
  verdict(row: Pick<AuditRow, "outcome" | "code" | "status">): AuditVerdict;
}

export interface TraceQuery {
  /** A provider, or an MCP server. */
  readonly server?: string | undefined;
  readonly kind?: "model" | "tool" | undefined;
  readonly status?: "success" | "error" | "timeout" | undefined;
  readonly name?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}
/** One call: its usage row, and what it ended with. */
export interface TracedCall {
  readonly usage: UsageRow;
  readonly requestId: string;
  readonly code: string | null;
}
export interface TraceStats {
  readonly total: number;
  readonly success: number;
  readonly errors: number;
  /** ms; null: no calls. Of the newest calls of the window, at most as many as are read. */
  readonly avgMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** How many calls the percentiles are of. */
  readonly measured: number;
  readonly costNanoUsd: bigint;
  /** 0 to 1. */
  readonly errorRate: number;
  readonly fromMs: number;
  readonly toMs: number;
}
export interface ServerStats {
  readonly server: string;
  readonly total: number;
  readonly errors: number;
  readonly costNanoUsd: bigint;
  readonly avgMs: number | null;
}
export interface Bucket {
  readonly atMs: number;
  readonly total: number;
  readonly errors: number;
}
/** What calls did. Every method sees the rows of the caller's projects alone. */
export interface Traces {
  list(q: TraceQuery, page: Paged, caller: Caller): Promise<Page<UsageRow>>;
  /** By the id of a request, a call or a trace; null: there is none. */
  get(id: string, caller: Caller): Promise<{ readonly calls: readonly TracedCall[]; readonly spans: readonly TraceSpanRow[] } | null>;
  stats(q: TraceQuery, caller: Caller): Promise<TraceStats>;
  servers(q: TraceQuery, caller: Caller): Promise<readonly ServerStats[]>;
  buckets(q: TraceQuery & { readonly bucketMs: number }, caller: Caller): Promise<readonly Bucket[]>;
}

/** Filled by `telemetry`. Errors of what changes an alert: `not_found`, `conflict` when it has ended. */
export interface Alerts {
  list(q: { readonly status?: AlertRow["status"] | undefined; readonly ruleId?: string | undefined }, page: Paged): Promise<Page<AlertRow>>;
  get(id: string): Promise<AlertRow | null>;
  acknowledge(id: string, by: { readonly caller: Caller; readonly requestId: string }): Promise<AlertRow>;
  resolve(id: string, by: { readonly caller: Caller; readonly requestId: string }): Promise<AlertRow>;
  /** What the rule measures now, and whether it would fire; nothing is told to anybody. */
  tryRule(
    id: string,
  ): Promise<{ readonly value: number | null; readonly fires: boolean; readonly threshold: number; readonly calls: number }>;
  /** Sends a test message, and says how that went. Never throws for a channel that fails. */
  tryChannel(id: string): Promise<{ readonly ok: boolean; readonly error: string | null; readonly durationMs: number }>;
}

/** What telemetry tells the REST face; filled by `gateway.ts`. */
export interface Telemetry {
  readonly audit: AuditTrail;
  readonly traces: Traces;
  readonly alerts: Alerts;
  /** The counts as Prometheus reads them. Errors: `missing_dependency`, `not_found` when they are off. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}
