import type { Caller, HttpAnswer, Json, JsonObject, ToolEvent, ToolHead, ToolResult } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { GatewayError } from "../../errors/index.js";
import type { OpenCall, Step } from "../../policy/step.js";
import type {
  ActionOptions,
  CallOptions,
  DryRun,
  DryRunInput,
  Enrichments,
  ResourceActions,
  Services,
  ToolCaller,
} from "../../seams/index.js";
import { parseJsonText } from "../../util/json.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { McpRequest } from "../downstream/request.js";
import { enrichedResult } from "./enriched-result.js";
import { readResource } from "./read-resource.js";
import { valueOf } from "./result-value.js";
import { allRules, RuleSet } from "./rule-set.js";
import { runRules, type RulesOutcome } from "./run-rules.js";
import { ENRICHMENT, SourceAsker, type EnrichmentFunction } from "./source-asker.js";

export interface EnrichmentOptions {
  readonly services: Services;
  readonly snapshot: () => Snapshot;
  readonly catalogue: Catalogue;
  readonly tools: () => ToolCaller;
  readonly serve: (request: McpRequest, o: CallOptions) => Promise<HttpAnswer>;
}

/**
 * Declarative rules that add to the results of tools what another tool, a resource or a function of the program knows. They run after a call that went well, one after the other, as its caller, and never fail it.
 */
export class Enrichment implements Enrichments {
  readonly #o: EnrichmentOptions;
  readonly #rules = new RuleSet();
  readonly #asker: SourceAsker;

  constructor(options: EnrichmentOptions) {
    this.#o = options;
    this.#asker = new SourceAsker({
      services: options.services,
      tools: { call: (call, o) => options.tools().call(call, o) },
      read: (at, o) => readResource(options.serve, at, o),
    });
  }

  /**
   * Makes a function known to rules whose source is `{ kind: "function", name }`. It gets the rule's bindings, and gives JSON; its `signal` is aborted when its time is over. Errors: `conflict` for a name that is taken.
   */
  register(name: string, run: EnrichmentFunction): void {
    this.#asker.register(name, run);
  }

  async dryRun(id: string, { args, response, user }: DryRunInput, o: ActionOptions): Promise<DryRun> {
    const rule = allRules(this.#o.snapshot()).find((named) => named.id === id);
    if (rule === undefined) throw new GatewayError("not_found", `There is no enrichment rule "${id.slice(0, 100)}".`);
    const input = { rules: [rule], args, response, user: user ?? userOf(o.caller), o: { ...o, depth: 0 } };
    const { response: enriched, warnings, fired } = await this.#run(input);
    return { response: enriched, warnings, fired };
  }

  /** Rules of the configuration, as rows that nobody changes here. */
  actions(): ResourceActions {
    const kept = { version: null, createdAtMs: null, updatedAtMs: null, origin: "configuration" };
    return {
      fixed: () => Object.entries(this.#o.snapshot().config.mcp.enrichment).map(([id, rule]) => ({ id, ...rule, ...kept })),
    };
  }

  /** Stands before whoever looks at results, so that they see what was added. Calls of tools without rules pass it as bytes. */
  step(): Step<ToolHead, ToolEvent> {
    const rulesOf = (head: ToolHead, snapshot: Snapshot, purpose: string | null) =>
      purpose === ENRICHMENT ? [] : this.#rules.for(head, snapshot);
    return {
      name: "enrichment",
      sees: (head, snapshot, { purpose }) => (rulesOf(head, snapshot, purpose).length === 0 ? "head" : "write"),
      events: (call, source) => {
        const rules = rulesOf(call.head, call.snapshot, call.purpose);
        return rules.length === 0 ? source : this.#events(call, source, rules);
      },
    };
  }

  async *#events(call: OpenCall<ToolHead>, source: AsyncIterable<ToolEvent>, rules: ReturnType<RuleSet["for"]>): AsyncIterable<ToolEvent> {
    for await (const event of source)
      yield event.type === "result" && isComplete(event.result)
        ? { ...event, result: { ...event.result, raw: await this.#enriched(call, event.result.raw, rules) } }
        : event;
  }

  async #enriched(call: OpenCall<ToolHead>, raw: JsonObject, rules: ReturnType<RuleSet["for"]>): Promise<JsonObject> {
    const { caller, requestId, signal, deadlineMs, depth, origin, runId } = call;
    const content = call.content();
    const outcome = await this.#run({
      rules,
      args: content.kind === "tool" ? (parseJsonText(content.arguments) as Json) : {},
      response: valueOf(raw),
      user: userOf(caller),
      o: { ...{ caller, requestId, signal, deadlineMs, depth }, origin: origin ?? undefined, runId: runId ?? undefined },
    });
    this.#spans(call, outcome);
    return enrichedResult(raw, outcome, this.#outputSchema(call));
  }

  #run(input: Parameters<typeof runRules>[0]): Promise<RulesOutcome> {
    return runRules(input, { asker: this.#asker, clock: this.#o.services.clock });
  }

  #outputSchema({ head: { server, tool }, caller }: OpenCall<ToolHead>): Json | undefined {
    const entry = this.#o.catalogue.tool({ server, name: tool }, caller);
    return entry === undefined
      ? undefined
      : ((parseJsonText(new TextDecoder().decode(entry.raw)) as JsonObject)["outputSchema"] as Json | undefined);
  }

  #spans(call: OpenCall<ToolHead>, { fired }: RulesOutcome): void {
    const nowMs = this.#o.services.clock.now();
    for (const { ruleId, source, skipped, error, durationMs } of fired)
      if (!skipped)
        call.span({
          ...{ kind: "internal", name: "enrichment", startedAtMs: nowMs - durationMs, durationMs },
          code: error === null ? undefined : "failed",
          attributes: { rule: ruleId, source },
        });
  }
}

/** Results that are errors, or no results yet, are left alone. */
function isComplete({ isError, raw }: ToolResult): boolean {
  const type = raw["resultType"];
  return !isError && (type === undefined || type === "complete");
}

/** Who calls, for `$.user`. */
function userOf({ id, name, kind, userId, teamId }: Caller): JsonObject {
  return { id: userId ?? id, name, kind, ...(teamId === undefined ? {} : { team: teamId }) };
}
