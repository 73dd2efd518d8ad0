import type { Config } from "../../config/schema.js";
import type { ToolClass, ToolClassificationRow } from "../../entities/index.js";
import { matchesGlob } from "../../util/glob.js";

/** What is known of a tool's class, and where from. */
export interface Classified {
  readonly class: ToolClass;
  readonly requiresApproval: boolean;
  readonly source: "record" | "configuration" | "built-in" | "default";
}
interface Rule {
  readonly server: string;
  readonly tool: string;
  readonly is: Classified;
}

/** By the first word of a tool's name, for tools that nobody classified. */
const SAFE = /^(?:get|list|read|search|find|describe|show|fetch|count|query|view|status|ping|echo)(?:[_\-A-Z.]|$)/;
const DANGEROUS =
  /^(?:delete|remove|drop|destroy|purge|truncate|wipe|exec|execute|run|shell|eval|kill|terminate|shutdown|revoke|transfer|pay|deploy|grant)(?:[_\-A-Z.]|$)/;

/** What a tool's name says of it. Only a name: a server may call anything anything. */
export function classOfName(tool: string): Classified {
  const source = "built-in" as const;
  if (SAFE.test(tool)) return { class: "safe", requiresApproval: false, source };
  if (DANGEROUS.test(tool)) return { class: "dangerous", requiresApproval: true, source };
  return { class: "sensitive", requiresApproval: false, source };
}

/** Classes by record and configuration, the most exact first: records stand before the configuration. */
export class Classes {
  readonly #rules: readonly Rule[];
  readonly #unknown: Config["approvals"]["unknown"];
  readonly #known = new Map<string, Classified>();

  constructor(rows: readonly ToolClassificationRow[], config: Config["approvals"]) {
    const stored = rows.map(
      ({ server, tool, class: is, requiresApproval }): Rule => ({ server, tool, is: { class: is, requiresApproval, source: "record" } }),
    );
    const written = Object.entries(config.tools).map(([name, entry]): Rule => {
      const at = name.indexOf("__");
      const [server, tool] = at < 0 ? [name, "*"] : [name.slice(0, at), name.slice(at + 2)];
      return {
        server,
        tool,
        is: { class: entry.class, requiresApproval: entry.requiresApproval ?? entry.class !== "safe", source: "configuration" },
      };
    });
    this.#rules = [...byExactness(stored), ...byExactness(written)];
    this.#unknown = config.unknown;
  }

  /** Nothing here ever asks anybody. */
  get areIdle(): boolean {
    return this.#rules.length === 0 && this.#unknown === "allow";
  }

  of(server: string, tool: string): Classified {
    const name = `${server}\n${tool}`;
    let known = this.#known.get(name);
    if (known === undefined) {
      known = this.#find(server, tool);
      // Tools come and go; what callers may name is no reason to grow.
      if (this.#known.size > 10_000) this.#known.clear();
      this.#known.set(name, known);
    }
    return known;
  }

  #find(server: string, tool: string): Classified {
    const rule = this.#rules.find((one) => matchesGlob(one.server, server) && matchesGlob(one.tool, tool));
    if (rule !== undefined) return rule.is;
    if (this.#unknown === "built-in") return classOfName(tool);
    return { class: "sensitive", requiresApproval: this.#unknown === "ask", source: "default" };
  }
}

function byExactness(rules: readonly Rule[]): Rule[] {
  const stars = ({ server, tool }: Rule): number => (`${server}__${tool}`.match(/\*/g) ?? []).length;
  const length = ({ server, tool }: Rule): number => server.length + tool.length;
  return [...rules].sort((a, b) => stars(a) - stars(b) || length(b) - length(a));
}
