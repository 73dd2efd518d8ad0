import type { CallHead, Caller } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import type { GuardrailRules, GuardrailStage } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { matchesAnyGlob, matchesGlob } from "../../util/glob.js";
import type { Judge } from "./judge.js";
import type { Scanner } from "./scanner.js";

export type Detector = { readonly kind: "scan"; readonly scanner: Scanner } | { readonly kind: "judge"; readonly judge: Judge };

/** Where a guardrail is from. */
export type GuardrailOrigin = "configuration" | "database" | "code";

/** A guardrail as calls meet it. */
export interface Guardrail {
  readonly name: string;
  readonly origin: GuardrailOrigin;
  readonly rules: GuardrailRules;
  /** Made on first use. Errors: `missing_dependency`, `validation_failed`. */
  readonly detector: () => Promise<Detector>;
}

/** The guardrails of one snapshot, in the order in which they look. */
export class GuardrailSet {
  readonly #all: readonly Guardrail[];

  constructor(all: readonly Guardrail[]) {
    const order = (a: Guardrail, b: Guardrail): number => a.rules.priority - b.rules.priority || (a.name < b.name ? -1 : 1);
    this.#all = all.filter(({ rules }) => rules.enabled).sort(order);
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  get all(): readonly Guardrail[] {
    return this.#all;
  }

  /** Those that look at this call in one of the stages. */
  of(
    call: { readonly head: CallHead; readonly caller: Caller; readonly snapshot: Snapshot },
    stages: readonly GuardrailStage[],
  ): readonly Guardrail[] {
    return this.#all.filter(({ rules }) => rules.stages.some((stage) => stages.includes(stage)) && appliesTo(rules, call));
  }

  byName(name: string): Guardrail | undefined {
    return this.#all.find((each) => each.name === name);
  }
}

function appliesTo(
  { applies }: GuardrailRules,
  call: { readonly head: CallHead; readonly caller: Caller; readonly snapshot: Snapshot },
): boolean {
  const { head, caller } = call;
  if (applies.projects !== undefined && !caller.projects.some((project) => matchesAnyGlob(applies.projects!, project))) return false;
  if (applies.keys !== undefined && !isOfKeys(caller, applies.keys)) return false;
  if (head.kind === "model") {
    // Who names tools or servers alone means no model.
    if (applies.models === undefined) return applies.tools === undefined && applies.servers === undefined;
    if (head.names !== undefined && head.names.some((name) => matchesAnyGlob(applies.models!, name))) return true;
    return namesOf(head.name, call.snapshot).some((name) => matchesAnyGlob(applies.models!, name));
  }
  if (applies.tools === undefined && applies.servers === undefined) return applies.models === undefined;
  const isTool = applies.tools === undefined || applies.tools.some((glob) => isOfTool(glob, head));
  return isTool && (applies.servers === undefined || matchesAnyGlob(applies.servers, head.server));
}

const SEPARATOR = "__";

/** By whichever name a tool goes. Of a head without one, which stands for what a server says in any of its calls: whether it may be one of its tools. */
function isOfTool(glob: string, { name, server, tool }: Extract<CallHead, { kind: "tool" }>): boolean {
  if (tool !== "") return matchesGlob(glob, name) || matchesGlob(glob, tool);
  const at = glob.indexOf(SEPARATOR);
  return at < 0 || matchesGlob(glob.slice(0, at), server);
}

/** What looks at a key's calls looks at those of the keys made from it too: making another one is no way out. */
function isOfKeys({ id, keyId, madeFrom = [] }: Caller, keys: readonly string[]): boolean {
  return [id, keyId, ...madeFrom].some((each) => each !== undefined && matchesAnyGlob(keys, each));
}

/** A call of a route may end at any of its models. */
function namesOf(name: string, snapshot: Snapshot): readonly string[] {
  const route = name.startsWith("route/") ? snapshot.routes.get(name.slice("route/".length)) : undefined;
  if (route === undefined) return [name];
  const others = [route.contextOverflow, route.canary?.model, route.shadow?.model].filter((model) => model !== undefined);
  return [name, ...route.targets.map(({ model }) => model), ...others];
}

/** What stands for a stored guardrail that cannot be read any more: nothing passes that it was to stop. */
export function brokenGuardrail(name: string): () => Promise<Detector> {
  return () =>
    Promise.reject(
      new GatewayError("misconfigured", `The stored guardrail "${name}" is not valid, and so nothing passes it.`, {
        hint: "Mend it, or switch it off.",
        details: { guardrail: name },
      }),
    );
}
