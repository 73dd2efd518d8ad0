import type { Environment, ParseResult } from "@marcbachmann/cel-js";
import type { Caller, ToolHead } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { argumentRule, type ArgumentRuleConfig, type ArgumentRuleRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { matchesAnyGlob } from "../../util/glob.js";
import { LookAlikes } from "../../util/json-checks/look-alikes.js";
import { parseCallerJson } from "../../util/json-checks/caller-json.js";

/** Longer arguments are not judged, and so not let through. */
const MOST_CHARACTERS = 65_536;
const LIMITS = { maxAstNodes: 500, maxDepth: 30, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 10 };

/** A rule of the configuration, or of the store. */
export type ArgumentRule = ArgumentRuleConfig | ArgumentRuleRow;

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
  readonly #compiled = new WeakMap<ArgumentRule, Compiled | GatewayError>();
  #environment: Promise<Environment> | null = null;

  constructor(o: { readonly snapshot: () => Snapshot }) {
    this.#snapshot = o.snapshot;
  }

  /** Rules for calls of this tool, those of the configuration first; none for most. */
  of({ name }: Pick<ToolHead, "name">, { config, records }: Pick<Snapshot, "config" | "records">): readonly NamedArgumentRule[] {
    const { rules } = config.mcp;
    let found: NamedArgumentRule[] | null = null;
    for (const key in rules) if (matchesAnyGlob(rules[key]!.tools, name)) (found ??= []).push({ name: key, rule: rules[key]! });
    for (const row of records.of(argumentRule))
      if (row.enabled && !Object.hasOwn(rules, row.name) && matchesAnyGlob(row.tools, name))
        (found ??= []).push({ name: row.name, rule: row });
    return found ?? NONE;
  }

  /** Errors: `validation_failed` with what is wrong with the expression, and where; `missing_dependency`. */
  async assertCompiles(when: string): Promise<void> {
    const wrong = problemOf(when, await this.#ready());
    if (wrong === null) return;
    const at = wrong.line === null ? {} : { line: wrong.line, column: wrong.column };
    const where = wrong.line === null ? "" : ` at line ${wrong.line}, column ${wrong.column}`;
    throw new GatewayError("validation_failed", `when: ${wrong.what}${where}.`, {
      hint: "docs/how-to/mcp-rules.md says what an expression may say.",
      details: { field: "when", ...at },
    });
  }

  /** What the rules would say of a call that nobody makes. Errors: `missing_dependency`, and `validation_failed` for arguments that are none. */
  explain(call: Judged): Promise<RuleVerdict> {
    return this.judge(this.of({ name: `${call.server}__${call.tool}` }, this.#snapshot()), call);
  }

  /** Errors: `missing_dependency`; `validation_failed` for arguments in which a key stands twice. */
  async judge(rules: readonly NamedArgumentRule[], call: Judged): Promise<RuleVerdict> {
    const values = call.arguments.length > MOST_CHARACTERS ? null : valuesOf(call);
    const environment = await this.#ready();
    const findings = rules.map((named) => this.#finding(named, environment, values));
    for (const effect of ["deny", "approve", "allow"] as const) {
      const at = findings.findIndex((finding) => finding.effect === effect && finding.holds);
      if (at >= 0) return { effect, rule: rules[at]!.name, message: rules[at]!.rule.message ?? null, findings };
    }
    return { effect: null, rule: null, message: null, findings };
  }

  #ready(): Promise<Environment> {
    return (this.#environment ??= newEnvironment().catch((error: unknown) => {
      this.#environment = null;
      throw error;
    }));
  }

  #finding({ name, rule }: NamedArgumentRule, environment: Environment, values: Record<string, unknown> | null): RuleFinding {
    const { effect } = rule;
    const unjudged = (error: string): RuleFinding => ({ rule: name, effect, holds: effect !== "allow", error });
    if (values === null) return unjudged(`The arguments are longer than ${MOST_CHARACTERS} characters.`);
    const compiled = this.#compile(rule, environment);
    if (compiled instanceof GatewayError) return unjudged(compiled.message);
    const other = compiled.reads.in(values["args"]);
    if (other !== null) return unjudged(`The argument "${other.slice(0, 40)}" differs in case alone from one that the rule looks at.`);
    try {
      const result: unknown = compiled.run(values);
      return typeof result === "boolean"
        ? { rule: name, effect, holds: result, error: null }
        : unjudged("The expression is neither true nor false.");
    } catch (error) {
      return unjudged(firstLine(error));
    }
  }

  #compile(rule: ArgumentRule, environment: Environment): Compiled | GatewayError {
    let compiled = this.#compiled.get(rule);
    if (compiled === undefined) {
      const wrong = problemOf(rule.when, environment);
      if (wrong !== null) compiled = new GatewayError("misconfigured", `The expression is not valid: ${wrong.what}`);
      else compiled = { run: environment.parse(rule.when), reads: new LookAlikes(readsOf(rule.when)) };
      this.#compiled.set(rule, compiled);
    }
    return compiled;
  }
}
interface Compiled {
  readonly run: ParseResult;
  /** What the expression names of arguments. */
  readonly reads: LookAlikes;
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

interface Problem {
  readonly what: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** null: there is none. */
function problemOf(when: string, environment: Environment): Problem | null {
  let wrong: unknown;
  try {
    const { valid, error } = environment.parse(when).check();
    if (valid) return null;
    wrong = error;
  } catch (error) {
    wrong = error;
  }
  const at = (wrong as { readonly range?: { readonly start?: unknown } }).range?.start;
  const what = firstLine(wrong).replace(/\.$/, "");
  if (typeof at !== "number") return { what, line: null, column: null };
  const before = when.slice(0, at).split("\n");
  return { what, line: before.length, column: before.at(-1)!.length + 1 };
}

const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
const QUOTED = /\[\s*\??\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\]|(?:"([^"\\]*)"|'([^'\\]*)')\s+in\b/g;
/** Neither functions nor what is said of the user. */
const MEMBER = /(\buser\s*)?\.\s*\??\s*([A-Za-z_]\w*)\b(?!\s*\()/g;

/** Every name that the expression looks for in arguments, however deep. */
function readsOf(when: string): string[] {
  const quoted = [...when.matchAll(QUOTED)].map((match) => match.slice(1).find((name) => name !== undefined) ?? "");
  const members = [...when.replace(STRING, '""').matchAll(MEMBER)].flatMap(([, user, name]) => (user === undefined ? [name!] : []));
  return [...quoted, ...members];
}

/** The library shows the place below its first line, with what stands there. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.slice(0, 200);
}
