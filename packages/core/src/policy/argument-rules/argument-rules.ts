import type { Environment, ParseResult } from "@marcbachmann/cel-js";
import type { Caller, ToolHead } from "../../calls/index.js";
import type { ArgumentRule } from "../../config/sections/mcp-rules.js";
import type { Snapshot } from "../../config/snapshot.js";
import { GatewayError } from "../../errors/index.js";
import { matchesAnyGlob } from "../../util/glob.js";
import { parseCallerJson } from "../../util/json-checks/caller-json.js";

/** Longer arguments are not judged, and so not let through. */
const MOST_CHARACTERS = 65_536;
const LIMITS = { maxAstNodes: 500, maxDepth: 30, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 10 };

export interface NamedArgumentRule {
  readonly name: string;
  readonly rule: ArgumentRule;
}
export interface Judged {
  readonly caller: Caller;
  readonly server: string;
  readonly tool: string;
  /** JSON text of an object. */
  readonly arguments: string;
}
/** What one rule says of a call. */
export interface RuleFinding {
  readonly rule: string;
  readonly effect: ArgumentRule["effect"];
  readonly holds: boolean;
  /** Why it could not be judged; a rule that denies or asks holds then. */
  readonly error: string | null;
}
export interface RuleVerdict {
  /** `null`: no rule says anything. */
  readonly effect: ArgumentRule["effect"] | null;
  /** The rule that decides. */
  readonly rule: string | null;
  readonly message: string | null;
  readonly findings: readonly RuleFinding[];
}

/**
 * Rules on what calls of tools say, in CEL. All rules of a tool are looked at: one that denies stands before one that asks a person, and that before one that allows. What cannot be judged is judged strictly. Expressions have no loops but one over a
 * list of the arguments, and no patterns: their time is bounded by their size and the arguments'.
 */
export class ArgumentRules {
  readonly #snapshot: () => Snapshot;
  readonly #compiled = new WeakMap<ArgumentRule, ParseResult | GatewayError>();
  #environment: Promise<Environment> | null = null;

  constructor(o: { readonly snapshot: () => Snapshot }) {
    this.#snapshot = o.snapshot;
  }

  /** Rules for calls of this tool; none for most. */
  of({ name }: Pick<ToolHead, "name">, { config }: Pick<Snapshot, "config">): readonly NamedArgumentRule[] {
    const { rules } = config.mcp;
    let found: NamedArgumentRule[] | null = null;
    for (const key in rules) if (matchesAnyGlob(rules[key]!.tools, name)) (found ??= []).push({ name: key, rule: rules[key]! });
    return found ?? NONE;
  }

  /** What the rules would say of a call that nobody makes. Errors: `missing_dependency`, and `validation_failed` for arguments that are none. */
  explain(call: Judged): Promise<RuleVerdict> {
    return this.judge(this.of({ name: `${call.server}__${call.tool}` }, this.#snapshot()), call);
  }

  /** Errors: `missing_dependency`; `validation_failed` for arguments in which a key stands twice. */
  async judge(rules: readonly NamedArgumentRule[], call: Judged): Promise<RuleVerdict> {
    const values = call.arguments.length > MOST_CHARACTERS ? null : valuesOf(call);
    const environment = await (this.#environment ??= newEnvironment().catch((error: unknown) => {
      this.#environment = null;
      throw error;
    }));
    const findings = rules.map((named) => this.#finding(named, environment, values));
    for (const effect of ["deny", "approve", "allow"] as const) {
      const at = findings.findIndex((finding) => finding.effect === effect && finding.holds);
      if (at >= 0) return { effect, rule: rules[at]!.name, message: rules[at]!.rule.message ?? null, findings };
    }
    return { effect: null, rule: null, message: null, findings };
  }

  #finding({ name, rule }: NamedArgumentRule, environment: Environment, values: Record<string, unknown> | null): RuleFinding {
    const { effect } = rule;
    const unjudged = (error: string): RuleFinding => ({ rule: name, effect, holds: effect !== "allow", error });
    if (values === null) return unjudged(`The arguments are longer than ${MOST_CHARACTERS} characters.`);
    const compiled = this.#compile(rule, environment);
    if (compiled instanceof GatewayError) return unjudged(compiled.message);
    try {
      const result: unknown = compiled(values);
      return typeof result === "boolean"
        ? { rule: name, effect, holds: result, error: null }
        : unjudged("The expression is neither true nor false.");
    } catch (error) {
      return unjudged(firstLine(error));
    }
  }

  #compile(rule: ArgumentRule, environment: Environment): ParseResult | GatewayError {
    let compiled = this.#compiled.get(rule);
    if (compiled === undefined) {
      try {
        compiled = environment.parse(rule.when);
        const { valid, error } = compiled.check();
        if (!valid) compiled = new GatewayError("misconfigured", `The expression is not valid: ${firstLine(error)}`);
      } catch (error) {
        compiled = new GatewayError("misconfigured", `The expression is not valid: ${firstLine(error)}`);
      }
      this.#compiled.set(rule, compiled);
    }
    return compiled;
  }
}
const NONE: readonly NamedArgumentRule[] = [];

function valuesOf({ caller, server, tool, arguments: text }: Judged): Record<string, unknown> {
  // A key that stands twice is read one way here, and perhaps another way by the server.
  const args = parseCallerJson(new TextEncoder().encode(text));
  const { id, name, kind, teamId = "", userId = id } = caller;
  return { args, server, tool, project: caller.projects[0], user: { id: userId, name, kind, team: teamId } };
}

async function newEnvironment(): Promise<Environment> {
  const { Environment: Made } = await import("@marcbachmann/cel-js").catch((cause: unknown) => {
    throw new GatewayError("missing_dependency", "Rules on arguments need the package @marcbachmann/cel-js, which could not be loaded.", {
      cause,
      hint: "npm install @marcbachmann/cel-js",
    });
  });
  return new Made({ limits: LIMITS })
    .registerVariable("args", "map")
    .registerVariable("user", "map")
    .registerVariable("server", "string")
    .registerVariable("tool", "string")
    .registerVariable("project", "string");
}

/** The library shows the place below its first line, with what stands there. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.slice(0, 200);
}
