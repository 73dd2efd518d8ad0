import type { Caller, JsonObject, ModelEvent, ToolEvent, ToolHead } from "../../calls/index.js";
import type { Config } from "../../config/schema.js";
import type { Snapshot } from "../../config/snapshot.js";
import {
  guardrail as guardrailEntity,
  guardrailInputOf,
  guardrailSchema,
  nameSchema,
  type GuardrailAction,
  type GuardrailInput,
  type GuardrailRow,
  type GuardrailRules,
  type GuardrailStage,
  type Severity,
} from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { HttpClient } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import type { GroupCommit } from "../group-commit.js";
import type { LiveCall } from "../live-call.js";
import type { OpenCall, Step } from "../step.js";
import type { Check } from "./detectors/code.js";
import { GUARDRAIL_PURPOSE } from "./detectors/moderation.js";
import { Detections } from "./detections.js";
import { dryRun, type DryRun } from "./dry-run.js";
import { guardAnswer } from "./guard-answer.js";
import { guardAnswered, guardContent, guardResult, guardToolEvents, type QuestionGuard } from "./guard-call.js";
import { brokenGuardrail, GuardrailSet, type Guardrail, type GuardrailOrigin } from "./guardrail-set.js";
import type { Active } from "./inspect.js";
import { makeDetector } from "./make-detector.js";
import { CallReporter } from "./reporter.js";

export interface GuardrailsOptions {
  readonly config: Pick<Config, "guardrails">;
  readonly http: HttpClient;
  readonly ledger: GroupCommit;
  /** What webhooks' requests are signed with. */
  readonly webhookKey: (guardrail: string) => Uint8Array;
  readonly snapshot: () => Snapshot;
  /** Who tests as if they called. */
  readonly owner: Caller;
}

/** A guardrail written in code. */
export interface CodeGuardrail {
  /** As other guardrails are named; one of the configuration with the same name counts instead. */
  readonly name: string;
  readonly check: Check;
  /** All four when left out. */
  readonly stages?: readonly GuardrailStage[] | undefined;
  /** `block` when left out. */
  readonly action?: GuardrailAction | undefined;
  readonly severity?: Severity | undefined;
  /** 100 when left out; lower goes first. */
  readonly priority?: number | undefined;
  readonly unseen?: "refuse" | "allow" | undefined;
  readonly applies?: GuardrailInput["applies"];
  /** What is done when the check throws: `block` when left out. */
  readonly onError?: "block" | "allow" | undefined;
}
/** What is to be looked at, and by what. */
export interface GuardrailTest {
  readonly input: string;
  /** `input` when left out. */
  readonly stage?: GuardrailStage | undefined;
  /** One of those there are, by its name or its id. */
  readonly guardrail?: string | undefined;
  /** One that there is not. */
  readonly rules?: GuardrailInput | undefined;
}

/** Of an answer nobody reads a shadow's, and its content was looked at already. */
const NEVER_READ = new Set([GUARDRAIL_PURPOSE, "shadow"]);
/** So long those have to judge who look at a question in the middle of a call. */
const QUESTION_MS = 60_000;
const GIVEN = ["input", "results"] as const;
const ANSWERED = ["output", "arguments"] as const;
const TOOL = ["arguments", "results"] as const;
/** Answers of these are no text. */
const UNREADABLE_ANSWERS = new Set(["image", "speech", "video"]);

/**
 * What looks at content on its way: those of the configuration, of the database, and of code. One set a snapshot; a call keeps the one that it was admitted with.
 * They see every text that a model or a tool is given and that it answers, or what they cannot see is refused.
 */
export class Guardrails {
  readonly #services: Services;
  readonly #o: GuardrailsOptions;
  readonly #added = new Map<string, { readonly rules: GuardrailRules; readonly check: Check }>();
  #sets = new WeakMap<readonly GuardrailRow[], GuardrailSet>();
  readonly #reporters = new WeakMap<object, CallReporter>();

  constructor(services: Services, options: GuardrailsOptions) {
    this.#services = services;
    this.#o = options;
    services.seams.resources.set(guardrailEntity.name, {
      check: (row) => this.#assertUsable(row as unknown as GuardrailRow),
      fixed: () => this.#fixedRows(),
    });
    const found = new Detections(services);
    services.seams.safety.fill({
      test: ({ rules, ...test }, caller) =>
        this.test({ ...test, ...(rules === undefined ? {} : { rules: rules as GuardrailInput }) }, caller),
      detections: (query, page, caller) => found.find(query, page, caller),
      summary: (query, caller) => found.summary(query, caller),
    });
  }

  /**
   * Adds one whose check is a function of this process; calls that begin from now on pass it. Returns what takes it away again.
   * Errors: `validation_failed` naming the field; `conflict` when the name is taken.
   */
  add(given: CodeGuardrail): () => void {
    const { name, check, onError = "block", ...rest } = given;
    const named = nameSchema.safeParse(name);
    if (!named.success) throw invalid("name", named.error.issues[0]?.message ?? "is not valid");
    if (this.#added.has(name) || Object.hasOwn(this.#o.config.guardrails, name))
      throw new GatewayError("conflict", `There is already a guardrail "${name}".`, { hint: "Choose another name." });
    const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const rules = parsed({ ...said, kind: "code", settings: { check: name, onError } });
    this.#change(() => this.#added.set(name, { rules, check }));
    return () => this.#change(() => this.#added.delete(name));
  }

  /** What would be found in a text, and what would become of it. Nothing is stored and nobody is told. Errors: `not_found`, `validation_failed`, `missing_dependency`. */
  async test(test: GuardrailTest, caller: Caller = this.#o.owner): Promise<DryRun> {
    const set = this.#setOf(this.#o.snapshot());
    const stage = test.stage ?? "input";
    const chosen = test.rules === undefined ? this.#chosen(set, test.guardrail) : [this.#made("test", "database", parsed(test.rules))];
    const active = await activeOf(chosen);
    return dryRun({ text: test.input, stage }, active, { caller, snapshot: this.#o.snapshot(), clock: this.#services.clock });
  }

  /** The content of a call, before it is sent. Forces nothing to be decoded that nobody looks at. */
  readonly entering: Step = {
    name: "guardrail",
    sees: (head, snapshot, { caller, purpose }) => {
      const active = this.#of({ head, snapshot, caller, purpose }, head.kind === "model" ? GIVEN : TOOL);
      if (active.length === 0) return "head";
      return active.some(({ rules }) => rules.action === "mask") ? "write" : "read";
    },
    enter: (call) => {
      this.#refuseUnreadable(call);
      const active = this.#of(call, call.head.kind === "model" ? GIVEN : (["arguments"] as const));
      return active.length === 0 ? undefined : this.#enter(call, active);
    },
  };

  /** What a call is answered with, as it passes. */
  readonly answering: Step = {
    name: "guardrail-answer",
    sees: (head, snapshot, { caller, purpose }) => {
      const active = this.#of({ head, snapshot, caller, purpose }, head.kind === "model" ? ANSWERED : (["results"] as const));
      if (active.length === 0) return "head";
      return active.some(({ rules }) => rules.action === "mask") ? "write" : "read";
    },
    events: (call, source) => {
      const active = this.#of(call, call.head.kind === "model" ? ANSWERED : (["results"] as const));
      return active.length === 0 ? source : (this.#answer(call, source, active) as AsyncIterable<never>);
    },
  };

  /** A resource or a prompt that is read over MCP; null: nobody looks at it. */
  readonly reading = (call: OpenCall<ToolHead>): ((raw: JsonObject) => Promise<JsonObject>) | null => {
    const active = this.#of(call, ["results"]);
    if (active.length === 0) return null;
    return async (raw) => {
      const reporter = this.#reporterOf(call);
      const left = await guardResult(raw, await activeOf(active), { call, reporter });
      reporter.tellWarnings();
      return left;
    };
  };

  /** What a server asks in the middle of a call, and what it is answered; null: nobody looks at either. What is found counts as the call's, also when its request is long answered. */
  readonly asking = (call: LiveCall<ToolHead>): QuestionGuard | null => {
    const asked = this.#of(call, ["results"]);
    const answered = this.#of(call, ["arguments"]);
    if (asked.length === 0 && answered.length === 0) return null;
    const looking = (by: readonly Guardrail[], guard: typeof guardResult) => async (said: JsonObject, signal: AbortSignal) => {
      if (by.length === 0) return said;
      const reporter = this.#reporterOf(call);
      const leg = call.leg({ signal, deadlineMs: this.#services.clock.now() + QUESTION_MS });
      const left = await guard(said, await activeOf(by), { call: leg, reporter });
      reporter.tellWarnings();
      return left;
    };
    return { question: looking(asked, guardResult), answer: looking(answered, guardAnswered) };
  };

  /** Made ready before the first call, so that what is wrong with those of the configuration is heard at the start. Errors: `missing_dependency`, `validation_failed`. */
  async start(): Promise<void> {
    for (const [name, rules] of Object.entries(this.#o.config.guardrails))
      if (rules.enabled) await this.#made(name, "configuration", rules).detector();
  }

  async #enter(call: OpenCall, active: readonly Guardrail[]): Promise<void> {
    const reporter = this.#reporterOf(call);
    const content = call.content();
    const left = await guardContent(content, await activeOf(active), { call, reporter });
    if (left !== content) call.replace(left);
    reporter.tellWarnings();
  }

  async *#answer(call: OpenCall, source: AsyncIterable<unknown>, guardrails: readonly Guardrail[]): AsyncGenerator<unknown> {
    const reporter = this.#reporterOf(call);
    const active = await activeOf(guardrails);
    const o = { call, reporter };
    const events: AsyncIterable<unknown> =
      call.head.kind === "model"
        ? guardAnswer(source as AsyncIterable<ModelEvent>, active, o)
        : guardToolEvents(source as AsyncIterable<ToolEvent>, active, o);
    for await (const event of events) yield event;
    // In time for an answer that is sent whole.
    reporter.tellWarnings();
  }

  /** Refused before it is paid for. */
  #refuseUnreadable(call: OpenCall): void {
    const { head } = call;
    if (head.kind !== "model" || !UNREADABLE_ANSWERS.has(head.operation)) return;
    for (const guardrail of this.#of(call, ["output"]))
      this.#reporterOf(call).unseen(guardrail, `an answer of ${head.operation}`, { stage: "output" });
  }

  #of(call: Pick<OpenCall, "head" | "snapshot" | "caller" | "purpose">, stages: readonly GuardrailStage[]): readonly Guardrail[] {
    const set = this.#setOf(call.snapshot);
    if (set.isEmpty || (call.purpose !== null && NEVER_READ.has(call.purpose))) return NONE;
    return set.of(call, stages);
  }

  #reporterOf(call: OpenCall): CallReporter {
    let reporter = this.#reporters.get(call);
    if (reporter === undefined)
      this.#reporters.set(call, (reporter = new CallReporter(call, { services: this.#services, ledger: this.#o.ledger })));
    return reporter;
  }

  #setOf(snapshot: Snapshot): GuardrailSet {
    const rows = snapshot.records.of(guardrailEntity);
    let set = this.#sets.get(rows);
    if (set === undefined) this.#sets.set(rows, (set = new GuardrailSet(this.#all(rows))));
    return set;
  }

  #all(rows: readonly GuardrailRow[]): Guardrail[] {
    const { guardrails } = this.#o.config;
    const all = Object.entries(guardrails).map(([name, rules]) => this.#made(name, "configuration", rules));
    for (const [name, { rules }] of this.#added) all.push(this.#made(name, "code", rules));
    const taken = new Set(all.map(({ name }) => name));
    for (const row of rows) {
      if (taken.has(row.name) || !row.enabled) continue;
      const rules = guardrailSchema.safeParse(guardrailInputOf(row));
      if (rules.success) all.push(this.#made(row.name, "database", rules.data));
      else all.push(this.#broken(row));
    }
    return all;
  }

  #made(name: string, origin: GuardrailOrigin, rules: GuardrailRules): Guardrail {
    const { http, webhookKey } = this.#o;
    const checkOf = (check: string): Check | undefined => this.#added.get(check)?.check;
    let made: ReturnType<typeof makeDetector> | null = null;
    const make = () => makeDetector({ name, origin, rules }, { services: this.#services, http, webhookKey, checkOf });
    // A package that was missing may be there the next time.
    const detector = () => (made ??= make().catch((error: unknown) => ((made = null), Promise.reject(error as Error))));
    return { name, origin, rules, detector };
  }

  #broken(row: GuardrailRow): Guardrail {
    this.#services.log.error("a stored guardrail is not valid: nothing passes it", { guardrail: row.name });
    const rules = parsed({ kind: "code", settings: { check: row.name } });
    return { name: row.name, origin: "database", rules, detector: brokenGuardrail(row.name) };
  }

  #chosen(set: GuardrailSet, name: string | undefined): readonly Guardrail[] {
    if (name === undefined) return set.all;
    const id = this.#o
      .snapshot()
      .records.of(guardrailEntity)
      .find((row) => row.id === name);
    const found = set.byName(id?.name ?? name);
    if (found !== undefined) return [found];
    throw new GatewayError("not_found", `There is no guardrail "${name.slice(0, 80)}" that is switched on.`);
  }

  /** Those of the configuration and of code, as rows. */
  #fixedRows(): readonly Readonly<Record<string, unknown>>[] {
    return this.#setOf(this.#o.snapshot()).all.flatMap(({ name, origin, rules }) => {
      if (origin === "database") return [];
      const settings = Object.fromEntries(Object.entries(rules.settings).filter(([field]) => field !== "secret"));
      const { enabled, priority, stages, kind, action, severity = null, unseen = null, applies } = rules;
      return [{ id: `${origin}.${name}`, name, enabled, priority, stages, kind, settings, action, severity, unseen, applies, origin }];
    });
  }

  /** A row as it would be, before it is stored. Errors: `validation_failed`, `missing_dependency`. */
  async #assertUsable(row: GuardrailRow): Promise<void> {
    if (this.#added.has(row.name) || Object.hasOwn(this.#o.config.guardrails, row.name))
      throw new GatewayError("conflict", `There is already a guardrail "${row.name}", which is not of the database.`, {
        hint: "Choose another name.",
      });
    if (row.kind === "webhook" && row.settings["secret"] !== undefined)
      throw invalid("settings.secret", "is not kept in the database: requests are signed with a secret of the gateway's own");
    await this.#made(row.name, "database", parsed(guardrailInputOf(row))).detector();
  }

  #change(change: () => unknown): void {
    change();
    this.#sets = new WeakMap();
  }
}

const NONE: readonly Guardrail[] = [];

function activeOf(guardrails: readonly Guardrail[]): Promise<readonly Active[]> {
  return Promise.all(guardrails.map(async (guardrail) => ({ guardrail, detector: await guardrail.detector() })));
}

function parsed(input: unknown): GuardrailRules {
  const rules = guardrailSchema.safeParse(input);
  if (rules.success) return rules.data;
  const issue = rules.error.issues[0]!;
  throw invalid(issue.path.join(".") || (issue.code === "unrecognized_keys" ? issue.keys.join(", ") : "guardrail"), issue.message);
}

function invalid(field: string, why: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${why}.`, {
    hint: "docs/how-to/guardrails.md lists what a guardrail has.",
    details: { field },
  });
}
