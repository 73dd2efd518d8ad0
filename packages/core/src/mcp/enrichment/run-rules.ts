import type { Json, JsonObject } from "../../calls/index.js";
import type { EnrichmentRule } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import type { CallOptions, FiredRule } from "../../seams/index.js";
import { bind, follow, mergeInto } from "./json-path.js";
import type { NamedRule } from "./rule-set.js";
import type { SourceAsker } from "./source-asker.js";

/** So much of a call's time is left for its own answer: enrichment never makes a call late. */
const SPARED_MS = 500;

export interface RulesInput {
  readonly rules: readonly NamedRule[];
  readonly args: Json;
  readonly user: Json;
  readonly response: Json;
  readonly o: CallOptions;
}
export interface Addition {
  readonly path: string;
  readonly value: Json;
}
export interface RulesOutcome {
  /** The result's value with everything that was added. */
  readonly response: Json;
  readonly added: readonly Addition[];
  readonly warnings: readonly string[];
  /** Every rule that was looked at, in order. */
  readonly fired: readonly FiredRule[];
}

/** Runs rules one after the other; each sees what those before it added. What fails is a warning. Never throws; ends early when the call is aborted. */
export async function runRules(
  input: RulesInput,
  { asker, clock }: { readonly asker: SourceAsker; readonly clock: Clock },
): Promise<RulesOutcome> {
  let response = input.response;
  const added: Addition[] = [];
  const warnings: string[] = [];
  const fired: FiredRule[] = [];
  for (const named of input.rules) {
    if (input.o.signal.aborted) break;
    const { id, rule } = named;
    const beganAtMs = clock.now();
    const tell = (skipped: boolean, error: string | null): void => {
      fired.push({ ruleId: id, source: rule.source.kind, op: opOf(rule), skipped, error, durationMs: clock.now() - beganAtMs });
    };
    if (!holds(rule, response)) {
      tell(true, null);
      continue;
    }
    try {
      const value = await asked(named, { ...input, response }, asker);
      response = mergeInto(response, rule.merge.path, value);
      added.push({ path: rule.merge.path, value });
      tell(false, null);
    } catch (error) {
      const { message } = GatewayError.from(error);
      tell(false, message);
      if (rule.onError !== "ignore") warnings.push(`${id}: ${message}`);
      if (rule.onError === "stop") break;
    }
  }
  return { response, added, warnings, fired };
}

function asked(named: NamedRule, { args, user, response, o }: RulesInput, asker: SourceAsker): Promise<Json> {
  const bindings = bind(named.rule.bindings, { args, user, response }) as JsonObject;
  return asker.ask(named, bindings, { ...o, deadlineMs: o.deadlineMs - SPARED_MS });
}

function holds({ when }: EnrichmentRule, response: Json): boolean {
  return when.kind === "always" || when.paths.every((path) => (follow(path, response) ?? null) !== null);
}

function opOf({ source }: EnrichmentRule): string {
  return source.kind === "resource" ? source.uri : source.name;
}
