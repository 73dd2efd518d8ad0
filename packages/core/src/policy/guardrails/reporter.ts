import { detection, severities, type GuardrailStage, type Severity } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { headerSafe } from "../../util/encoding/header-safe.js";
import { newId } from "../../util/ids.js";
import { cutText } from "../../util/well-formed.js";
import type { GroupCommit } from "../group-commit.js";
import type { OpenCall } from "../step.js";
import type { Guardrail } from "./guardrail-set.js";
import type { Match } from "./scanner.js";

/** What was found, wherever it stood. */
export interface Finding extends Pick<Match, "type" | "pattern" | "confidence" | "severity"> {
  readonly stage: GuardrailStage;
  readonly excerpt: string;
}
export interface Reporting {
  readonly services: Services;
  readonly ledger: GroupCommit;
}
/** Hears what guardrails find. `found` throws when what was found may not pass. */
export interface Reporter {
  found(guardrail: Guardrail, finding: Finding): void;
  /** Something that a guardrail cannot read. Throws when that may not pass. */
  unseen(guardrail: Guardrail, what: string, o: { readonly stage: GuardrailStage; readonly isTooLarge?: boolean }): void;
  /** A guardrail could not judge. Throws when nothing may pass then. */
  failed(guardrail: Guardrail, error: unknown, o: { readonly stage: GuardrailStage; readonly mayPass: boolean }): void;
}

/** Rows of one call at the most: who fills a prompt with finds does not fill the ledger. */
const MAX_ROWS = 20;
const defaultSeverity: Readonly<Record<Guardrail["rules"]["kind"], Severity>> = {
  words: "medium",
  regex: "medium",
  secrets: "critical",
  pii: "high",
  schema: "medium",
  injection: "high",
  moderation: "high",
  webhook: "high",
  code: "high",
};

/** Whether what cannot be read may not pass this guardrail. */
export function refusesUnseen({ rules }: Guardrail): boolean {
  return (rules.unseen ?? (rules.action === "block" ? "refuse" : "allow")) === "refuse";
}
export function severityOf({ rules }: Guardrail, severity: Severity | undefined): Severity {
  return rules.severity ?? severity ?? defaultSeverity[rules.kind];
}

/** What becomes of the finds of one call: a row of the ledger each, an event, a header for those that only warn, and an error for those that refuse. */
export class CallReporter implements Reporter {
  readonly #call: OpenCall;
  readonly #o: Reporting;
  readonly #said = new Set<string>();
  readonly #warned = new Map<string, Severity>();
  #rows = 0;

  constructor(call: OpenCall, o: Reporting) {
    this.#call = call;
    this.#o = o;
  }

  found(guardrail: Guardrail, finding: Finding): void {
    const { action } = guardrail.rules;
    const severity = severityOf(guardrail, finding.severity);
    // The same again is counted once: a stream may say a word a hundred times.
    const key = `${guardrail.name}\n${finding.stage}\n${finding.pattern}\n${finding.excerpt}`;
    if (!this.#said.has(key) && this.#rows < MAX_ROWS) {
      this.#said.add(key);
      this.#record(guardrail, finding, severity);
    }
    if (action === "warn") this.#warned.set(guardrail.name, severity);
    if (action === "block") throw blocked(guardrail, { ...finding, severity });
  }

  unseen(guardrail: Guardrail, what: string, o: { readonly stage: GuardrailStage; readonly isTooLarge?: boolean }): void {
    const finding = { type: "unseen", pattern: what, confidence: 1, stage: o.stage, excerpt: "" } as const;
    if (!refusesUnseen(guardrail)) return;
    this.#record(guardrail, finding, severityOf(guardrail, undefined));
    if (o.isTooLarge === true)
      throw new GatewayError(
        "payload_too_large",
        `The guardrail "${guardrail.name}" cannot read all of this ${nameOf(o.stage)}: ${what}.`,
        {
          hint: 'Send less at once; its operator may set "unseen" to "allow".',
          details: { guardrail: guardrail.name, type: "unseen", stage: o.stage },
        },
      );
    throw new GatewayError("content_blocked", `The guardrail "${guardrail.name}" cannot read ${what}, and so does not let it pass.`, {
      hint: 'Leave it out; its operator may set "unseen" to "allow".',
      details: { guardrail: guardrail.name, type: "unseen", severity: severityOf(guardrail, undefined), stage: o.stage },
    });
  }

  failed(guardrail: Guardrail, error: unknown, o: { readonly stage: GuardrailStage; readonly mayPass: boolean }): void {
    const known = GatewayError.from(error);
    if (known.code === "cancelled") throw known;
    this.#o.services.log.warn("a guardrail could not judge", {
      ...{ guardrail: guardrail.name, requestId: this.#call.requestId, code: known.code, passes: o.mayPass },
    });
    if (o.mayPass) return;
    throw new GatewayError(
      "content_blocked",
      `The guardrail "${guardrail.name}" could not judge the ${nameOf(o.stage)}, and so it does not pass.`,
      {
        hint: "Its operator finds the cause in the log under the request's id.",
        details: {
          guardrail: guardrail.name,
          type: "unseen",
          severity: severityOf(guardrail, undefined),
          stage: o.stage,
          cause: known.code,
        },
        cause: error,
      },
    );
  }

  /** Puts the warnings so far into the answer's headers; told again, they stand in the place of those before. */
  tellWarnings(): void {
    if (this.#warned.size === 0) return;
    const names = [...this.#warned.keys()].map(headerSafe).join(", ").slice(0, 500);
    const worst = severities.findLast((severity) => [...this.#warned.values()].includes(severity))!;
    this.#call.tell([
      ["x-sallyport-warnings", `guardrails: ${names}`],
      ["x-safety-warning", names],
      ["x-safety-severity", worst],
    ]);
  }

  #record(guardrail: Guardrail, finding: Finding, severity: Severity): void {
    const { services, ledger } = this.#o;
    const { head, caller, id, requestId } = this.#call;
    const projectId = caller.projects[0];
    this.#rows++;
    const row = {
      id: newId("det"),
      atMs: services.clock.now(),
      projectId,
      requestId,
      callId: id,
      guardrail: guardrail.name,
      stage: finding.stage,
      type: finding.type,
      severity,
      action: guardrail.rules.action,
      pattern: cutText(finding.pattern, 200),
      confidence: Math.round(finding.confidence * 1_000),
      excerpt: cutText(services.redactor.redact(finding.excerpt), 1_000),
      callerId: cutText(caller.id, 100),
      keyId: caller.keyId ?? null,
      model: head.kind === "model" ? cutText(head.name, 240) : null,
      server: head.kind === "tool" ? cutText(head.server, 100) : null,
      tool: head.kind === "tool" ? cutText(head.tool, 200) : null,
    };
    ledger.add({ scope: { projects: [projectId] }, writes: [insert(detection, row, "skip")] });
    this.#call.span({
      ...{ kind: "guardrail", name: guardrail.name, startedAtMs: row.atMs, durationMs: 0 },
      ...(guardrail.rules.action === "block" ? { code: "content_blocked" } : {}),
      attributes: { stage: finding.stage, type: finding.type, severity, action: guardrail.rules.action },
    });
    services.events.emit("guardrail.detected", {
      ...{ detectionId: row.id, callId: id, requestId, guardrail: guardrail.name, stage: finding.stage, type: finding.type },
      ...{ severity, action: guardrail.rules.action },
    });
  }
}

function blocked(guardrail: Guardrail, { type, severity, stage }: Finding & { readonly severity: Severity }): GatewayError {
  return new GatewayError("content_blocked", `The guardrail "${guardrail.name}" does not let this ${nameOf(stage)} pass.`, {
    details: { guardrail: guardrail.name, type, severity, stage },
  });
}

function nameOf(stage: GuardrailStage): string {
  return stage === "arguments" ? "tool call" : stage === "results" ? "tool result" : stage;
}
