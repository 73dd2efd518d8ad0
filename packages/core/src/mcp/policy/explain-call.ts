import { explainAccess } from "../../access/index.js";
import type { Caller } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { GatewayError } from "../../errors/index.js";
import { classesOf, needsCare, permissionFor, ruleFor } from "../../policy/approvals/index.js";
import { ArgumentRules, type RuleVerdict } from "../../policy/argument-rules/argument-rules.js";
import type { Clock } from "../../ports/index.js";
import type { CallCheck, CallExplanation } from "../../seams/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { fullName, splitName, type Located } from "../catalogue/view.js";
import { utf8 } from "../frames/splice.js";

export interface ExplainedCall {
  /** `server__tool`, as grants name it. */
  readonly tool: string;
  /** JSON text of an object. */
  readonly arguments: string;
  readonly caller: Caller;
}
export interface CallExplainerOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  /** The caller as personas leave it now. */
  readonly bound: (caller: Caller) => Caller;
}
type Asking = ExplainedCall & { readonly at: Located; readonly snapshot: Snapshot };

const NOT_CHECKED = [
  "rate limits and budgets",
  "guardrails",
  "an approval of this very call that a person gave already",
  "what the server says, and whether it is there",
];

/** Which rule of which kind would decide about a call: by the same rules as calls pass, in their order, and touching nothing. */
export class CallExplainer {
  readonly #o: CallExplainerOptions;
  readonly #rules: ArgumentRules;
  constructor(options: CallExplainerOptions) {
    this.#o = options;
    this.#rules = new ArgumentRules({ snapshot: options.snapshot });
  }

  /** Errors: `missing_dependency`; `validation_failed` for arguments that are none, or say a key twice where a rule looks at them. */
  async explain(call: ExplainedCall): Promise<CallExplanation> {
    const { id, name, kind } = call.caller;
    const at = splitName(call.tool);
    const checks = at === null ? [noTool(call.tool)] : await this.#checks({ ...call, at, snapshot: this.#o.snapshot() });
    const decides = checks.find(({ outcome }) => outcome === "refuses") ?? checks.find(({ outcome }) => outcome === "asks");
    return {
      ...{ tool: call.tool, caller: { id, name, kind }, outcome: decides?.outcome ?? "passes" },
      ...{ decidedBy: decides?.by ?? null, rule: decides?.rule ?? null, checks, notChecked: NOT_CHECKED },
    };
  }

  async #checks(asking: Asking): Promise<readonly CallCheck[]> {
    const { at, caller, snapshot } = asking;
    const access = explainAccess(caller, { snapshot, server: at.server, tool: at.name });
    const rule = access.persona === null ? access.rule : `${access.persona}: ${access.rule ?? "nothing"}`;
    const grants: CallCheck = { by: "grants", outcome: access.allowed ? "passes" : "refuses", rule, why: access.why };
    const filled = this.#filled(asking);
    if (typeof filled !== "string") return [filled, grants];
    return [this.#shown(asking), grants, ...(await this.#judged({ ...asking, arguments: filled }))];
  }

  #shown({ at, caller }: Asking): CallCheck {
    const name = fullName(at.server, at.name);
    try {
      this.#o.catalogue.assertReachable(at, this.#o.bound(caller));
    } catch (error) {
      const { code, message } = GatewayError.from(error);
      return { by: "catalogue", outcome: "refuses", rule: code, why: message };
    }
    if (this.#o.catalogue.get(at.server)?.listsFor(caller).tools.has(at.name) === true)
      return { by: "catalogue", outcome: "passes", rule: null, why: "It is there, neither hidden nor in quarantine." };
    const why = `${name} is not in its server's list as it was read last; a call has it read again.`;
    return { by: "catalogue", outcome: "refuses", rule: "tool_not_found", why };
  }

  /** The arguments as rules see them: with what the operator fixed. */
  #filled({ at, arguments: text }: Asking): string | CallCheck {
    try {
      return this.#o.catalogue.fill(at)?.fill(utf8(text)) ?? text;
    } catch (error) {
      const { code, message } = GatewayError.from(error);
      return { by: "catalogue", outcome: "refuses", rule: code, why: message };
    }
  }

  async #judged(asking: Asking): Promise<readonly CallCheck[]> {
    const { at, snapshot } = asking;
    const rules = this.#rules.of({ name: fullName(at.server, at.name) }, snapshot);
    const said = { caller: asking.caller, server: at.server, tool: at.name, arguments: asking.arguments };
    const verdict = rules.length === 0 ? null : await this.#rules.judge(rules, said);
    const ruled = verdict === null ? [] : [ruleCheck(verdict)];
    if (verdict?.effect === "deny" || verdict?.effect === "allow") return ruled;
    const isWanted = verdict?.effect === "approve";
    const classified = this.#classified(asking, isWanted);
    if (!isWanted || classified.outcome !== "asks") return [...ruled, classified];
    return [...ruled.map((check) => ({ ...check, outcome: "asks" as const })), classified];
  }

  #classified({ at, caller, arguments: text, snapshot }: Asking, isWanted: boolean): CallCheck {
    const is = classesOf(snapshot).of(at.server, at.name);
    const by = "classification" as const;
    const what = `The tool is ${is.class}${is.source === "default" ? ", as nobody classified it" : ` (${is.source})`}`;
    if (!isWanted && !needsCare(is)) return { by, outcome: "passes", rule: is.source, why: `${what}: nobody is asked.` };
    const asked = { caller, server: at.server, tool: at.name, arguments: text, nowMs: this.#o.clock.now() };
    const rule = ruleFor(snapshot, asked);
    if (rule !== null) return { by, outcome: "passes", rule: rule.id, why: "An approval rule has such calls always allowed." };
    const permission = permissionFor(snapshot, asked);
    if (permission?.maxUsesDay === null) return { by, outcome: "passes", rule: permission.id, why: "The caller was given the tool." };
    const uses = permission === null ? "" : ` The caller was given it for ${permission.maxUsesDay} uses a day, which are not counted here.`;
    return { by, outcome: "asks", rule: permission?.id ?? is.source, why: `${what}: a person has to approve the call.${uses}` };
  }
}

function ruleCheck({ effect, rule, message, findings }: RuleVerdict): CallCheck {
  const by = "argument-rules" as const;
  const error = findings.find((finding) => finding.rule === rule)?.error ?? null;
  const strictly = error === null ? "" : ` It could not be judged, so strictly: ${error}`;
  if (effect === "deny") return { by, outcome: "refuses", rule, why: `${sentence(message ?? "A rule on arguments denies it")}${strictly}` };
  if (effect === "approve") return { by, outcome: "passes", rule, why: `A rule on arguments wants it approved.${strictly}` };
  if (effect === "allow") return { by, outcome: "passes", rule, why: "A rule on arguments has nobody asked." };
  return { by, outcome: "passes", rule: null, why: `Of ${findings.length} rules on arguments none holds.` };
}

/** What an operator wrote, with an end that something can follow. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function noTool(tool: string): CallCheck {
  return {
    by: "catalogue",
    outcome: "refuses",
    rule: "tool_not_found",
    why: `"${tool.slice(0, 200)}" is no name of a tool: tools are named server__tool.`,
  };
}
