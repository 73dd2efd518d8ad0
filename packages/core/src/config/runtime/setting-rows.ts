import type { ConfigPath } from "../config-path.js";

/** One setting that can be changed while the gateway runs. What is left out is as its section of the configuration declares it. */
export interface SettingRow {
  /** Where it stands in the configuration. Its key is the same in snake_case with dots, unless `key` says otherwise. */
  readonly path: ConfigPath;
  readonly description?: string;
  readonly unit?: string;
  /** Another way to say what stands at the path: whole numbers of so many of its units. */
  readonly as?: { readonly key: string; readonly times: number };
}

const within = (section: readonly string[], rows: Readonly<Record<string, Omit<SettingRow, "path">>>): SettingRow[] =>
  Object.entries(rows).map(([name, row]) => ({ path: [...section, name], ...row }));
const ms = { unit: "ms" } as const;
const days = (what: string) => ({ unit: "days", description: `how long ${what} are kept` }) as const;

/**
 * Every setting that can be changed while the gateway runs: those that are read anew by each call or use. Of several that stand at one path the first that is stored counts. Nothing here is a
 * secret, and nothing widens what may be started or dialled: that is said by whoever starts the gateway.
 */
export const settingRows: readonly SettingRow[] = [
  ...within(["server"], {
    allowedHosts: {},
    allowedOrigins: {},
    trustProxy: { description: "whether X-Forwarded-* of the peer is believed" },
    docs: {},
    maxBodyBytes: { unit: "bytes", description: "larger bodies are refused with 413" },
  }),
  ...within(["server", "timeouts"], {
    requestMs: { ...ms, description: "a whole call" },
    firstByteMs: { ...ms, description: "an upstream's first byte" },
    idleMs: { ...ms, description: "an upstream's silence between two chunks" },
    shutdownMs: { ...ms, description: "what calls under way have to finish when the gateway stops" },
  }),
  { path: ["logging", "level"], description: "lines below it are not written" },
  { path: ["sessions", "ttlSeconds"], unit: "s" },
  { path: ["sessions", "ttlSeconds"], as: { key: "sessions.ttl_hours", times: 3_600 }, unit: "h", description: "the same in hours" },
  { path: ["sessions", "ttlSeconds"], as: { key: "sessions.ttl_days", times: 86_400 }, unit: "d", description: "the same in days" },
  ...within(["sessions", "window"], {
    messages: {},
    tokens: { description: "how long the messages of a turn may be together, at four characters a token" },
  }),
  ...within(["sessions", "summarise"], {
    model: {},
    everyMessages: {},
    maxTokens: { description: "how long a summary may be" },
    timeoutMs: ms,
  }),
  { path: ["mcp", "purpose"] },
  ...within(["mcp", "results"], {
    maxBytes: { unit: "bytes" },
    keepMs: ms,
  }),
  ...within(["mcp", "signIns"], { expiresMs: ms, inRuns: {} }),
  ...within(["approvals"], { unknown: {}, expiresMs: ms, fourEyes: {} }),
  { path: ["access", "maxStaleMs"], ...ms, description: "how old what is known of keys may be before credentials are refused" },
  ...within(["access", "sessions"], {
    idleMs: { ...ms, description: "who is signed in and does nothing for so long has to sign in again" },
    maxMs: { ...ms, description: "and who signed in so long ago, whatever they did since" },
  }),
  ...within(["limits", "perKey"], { requestsPerMinute: {}, tokensPerMinute: {}, concurrency: {} }),
  { path: ["limits", "onCountersDown"] },
  { path: ["money", "unknownPrice"] },
  { path: ["telemetry", "traces", "sample"], description: "the part of all spans that is kept; those of failures always are" },
  { path: ["telemetry", "alerts", "everySeconds"], unit: "s" },
  ...within(["audit"], { parameters: {}, redactKeys: {} }),
  ...within(["retention"], {
    usageDays: days("usage rows"),
    auditDays: days("rows of the audit"),
    traceDays: days("spans"),
    detectionDays: days("detections of guardrails"),
    authEventDays: days("events of sign-in"),
  }),
];

const BOUND = "the address is bound at the start";
const OPENED = "what rows are kept in is opened at the start";
const OPERATOR = "only whoever starts the gateway says what may be started or dialled";
const RECORDS = "those of the configuration are read at the start; others are records of their own, which can be changed at any time";
const EXPORTED = "what spans and metrics go to is made at the start";

/** Why everything else cannot be changed while the gateway runs, by the beginning of its path; the longest counts. */
export const startReasons: Readonly<Record<string, string>> = {
  "": "it is read at the start",
  "server.host": BOUND,
  "server.port": BOUND,
  "server.timeouts.connectMs": "the client of upstreams is made at the start",
  storage: OPENED,
  redis: "counters, cache and bus are connected at the start",
  "logging.format": "where lines go to is opened at the start",
  providers: RECORDS,
  routes: RECORDS,
  guardrails: RECORDS,
  namespaces: RECORDS,
  "access.personas": RECORDS,
  "mcp.allowStdio": OPERATOR,
  "network.allowPrivate": OPERATOR,
  "telemetry.alerts.allowPrivate": OPERATOR,
  "approvals.tools": "stored classes of tools stand over it, and can be changed at any time",
  "telemetry.otel": EXPORTED,
  "telemetry.langfuse": EXPORTED,
  "telemetry.propagate": EXPORTED,
  "telemetry.metrics.enabled": EXPORTED,
  "telemetry.metrics.open": "which routes take no credential is decided at the start",
  "telemetry.traces.enabled": EXPORTED,
};
