import { crypto } from "#platform";
import { followedPeople, type PurposeKeys } from "./access/index.js";
import type { Caller } from "./calls/index.js";
import type { Config } from "./config/schema.js";
import type { Snapshot } from "./config/snapshot.js";
import {
  approvalRule,
  argumentRule,
  budget,
  configEntry,
  dataKey,
  enrichmentRule,
  guardrail,
  mcpServer,
  mcpTool,
  namespace,
  rateLimit,
  storedModel,
  storedProvider,
  storedProviderKey,
  toolClassification,
  toolPermission,
  toolPin,
} from "./entities/index.js";
import { memoryCounters } from "./memory/index.js";
import { Approvals } from "./policy/approvals/index.js";
import { ArgumentRules } from "./policy/argument-rules/argument-rules.js";
import { ruleActions } from "./policy/argument-rules/rule-actions.js";
import { attemptSteps, callSteps, modelSteps } from "./policy/chain.js";
import type { GroupCommit } from "./policy/group-commit.js";
import { Guardrails } from "./policy/guardrails/index.js";
import { InboxItems } from "./policy/inbox/index.js";
import { GuardedCounters, Limiter } from "./policy/limits/index.js";
import { Money } from "./policy/money/money.js";
import { ResponseCache } from "./policy/response-cache/index.js";
import type { HttpClient } from "./ports/index.js";
import type { Providers } from "./providers/index.js";
import type { Services } from "./seams/index.js";
import { Telemetry, type OtelOptions } from "./telemetry/index.js";
import { VERSION } from "./util/version.js";
import type { Codec } from "./wire/shared/codec.js";

const DAY_MS = 86_400_000;

/** What calls are decided by, beside keys and routes: the records of every snapshot. */
export const followedRecords = [
  ...followedPeople,
  ...[storedProvider, storedProviderKey, storedModel, dataKey, mcpServer],
  ...[mcpTool, namespace, toolPin, enrichmentRule, argumentRule],
  ...[configEntry, rateLimit, toolClassification, toolPermission, approvalRule, guardrail, budget],
];

export interface PolicyOptions {
  readonly config: Config;
  readonly ledger: GroupCommit;
  readonly http: HttpClient;
  readonly snapshot: () => Snapshot;
  /** Once the gateway has started. */
  readonly keys: () => PurposeKeys;
  readonly owner: Caller;
  readonly otel: OtelOptions | undefined;
  readonly codecs: readonly Codec[];
  /** Rows outlive the process. */
  readonly durable: boolean;
  readonly providers: () => Providers;
  readonly breakers: ConstructorParameters<typeof Telemetry>[1]["breakers"];
  /** Processes that are known to live. */
  readonly nodes: () => number;
}

/** What stands between a caller and a call, and the steps that it is made of. */
export interface Policy extends ReturnType<typeof policyOf> {}

/** Makes the policy of a gateway, in the order of the steps. */
export function policyOf(services: Services, o: PolicyOptions) {
  const { store, clock, events, log, cache, seams, nodeId } = services;
  const { config, ledger, http, snapshot, keys } = o;
  const local = memoryCounters({ clock }).now;
  const counters = new GuardedCounters({
    counters: services.counters,
    local,
    clock,
    log,
    whenDown: () => snapshot().config.limits.onCountersDown,
    nodes: o.nodes,
    shared: services.shared,
  });
  const money = new Money({ store, clock, events, ledger, nodeId, durable: o.durable, resources: seams.resources });
  const inbox = new InboxItems(services, { keptMs: () => snapshot().config.retention.auditDays * DAY_MS });
  const approvals = new Approvals(services, { snapshot, inbox });
  inbox.add(approvals);
  seams.inbox.fill(inbox);
  const toolRules = new ArgumentRules({ snapshot });
  seams.resources.set("argumentRule", ruleActions({ rules: toolRules, snapshot, resources: seams.resources }));
  const telemetry = new Telemetry(services, {
    ...{ config, snapshot, ledger, http, version: VERSION, otel: o.otel, breakers: o.breakers, nodes: o.nodes },
    isListed: (provider, model) => o.providers().get(provider)?.model(model) !== null,
    vendorOf: (provider) => o.providers().get(provider)?.telemetryName ?? provider,
  });
  seams.telemetry.fill(telemetry);
  const guardrails = new Guardrails(services, {
    ...{ config, http, ledger, snapshot, owner: o.owner },
    webhookKey: (name) => crypto.hmac(keys()("guardrail-webhooks"), new TextEncoder().encode(name)),
  });
  const responses = new ResponseCache({
    ...{ cache, clock, crypto, log, events },
    secret: () => keys()("response-cache"),
    models: () => seams.models.get(),
    readerOf: (protocol) => o.codecs.find((codec) => codec.protocol === protocol) ?? null,
  });
  const chain = {
    ...{ ledger, clock, events, money, approvals, toolRules, guardrails, responses, counters: services.counters },
    limiter: new Limiter({ counters, clock }),
    watch: telemetry.step(),
    content: telemetry.contentStep(),
    parameters: telemetry.parameters(),
    redact: telemetry.redact,
  };
  const steps = { steps: callSteps(chain), modelSteps: modelSteps(chain), attemptSteps: attemptSteps(chain) };
  return { ...steps, money, inbox, toolRules, telemetry, guardrails, counters };
}
