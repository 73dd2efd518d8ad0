import type { ToolHead } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { enrichmentRule, type EnrichmentRule, type EnrichmentRuleRow } from "../../entities/index.js";
import { matchesGlob } from "../../util/glob.js";

/** A rule and what it is known by: its name in the configuration, or its id in the store. */
export interface NamedRule {
  readonly id: string;
  readonly rule: EnrichmentRule;
}

/** The rules of one snapshot. */
export class RuleSet {
  #of: { readonly configured: object; readonly rows: readonly EnrichmentRuleRow[] } | null = null;
  #byServer: ReadonlyMap<string, readonly NamedRule[]> = new Map();

  /** Those for calls of this tool, in the order in which they run; empty for most. */
  for({ server, tool, operation }: ToolHead, snapshot: Snapshot): readonly NamedRule[] {
    this.#use(snapshot);
    const rules = this.#byServer.get(server);
    if (rules === undefined || (operation !== undefined && operation !== "call")) return NONE;
    return rules.filter(({ rule }) => matchesGlob(rule.tool, tool));
  }

  #use({ config, records }: Snapshot): void {
    const configured = config.mcp.enrichment;
    const rows = records.of(enrichmentRule);
    if (this.#of?.configured === configured && this.#of.rows === rows) return;
    this.#of = { configured, rows };
    const byServer = new Map<string, NamedRule[]>();
    for (const named of allRules({ config, records })) {
      if (!named.rule.enabled) continue;
      const { server } = named.rule;
      byServer.set(server, [...(byServer.get(server) ?? []), named]);
    }
    this.#byServer = byServer;
  }
}
const NONE: readonly NamedRule[] = [];

/** Every rule of a snapshot, enabled or not, in their order: those of the configuration stand before stored ones of the same position. */
export function allRules({ config, records }: Pick<Snapshot, "config" | "records">): readonly NamedRule[] {
  const configured = Object.entries(config.mcp.enrichment).map(([id, rule]) => ({ id, rule }));
  const stored = records.of(enrichmentRule).map((row) => ({ id: row.id, rule: row }));
  return [...configured, ...stored.sort((a, b) => (a.id < b.id ? -1 : 1))].sort((a, b) => a.rule.position - b.rule.position);
}
