import type { JsonObject } from "../../calls/index.js";
import type { GuardrailStage } from "../../entities/index.js";
import type { OpenCall } from "../step.js";
import { excerptOf, excerptOfWhole } from "./excerpt.js";
import type { Detector, Guardrail } from "./guardrail-set.js";
import { jsonPlaces, withPlaces } from "./content/json-places.js";
import type { Judge } from "./judge.js";
import type { Reporter } from "./reporter.js";
import { findAll, masked, type Match, type Scanner } from "./scanner.js";

/** A guardrail with what it finds things with. */
export interface Active {
  readonly guardrail: Guardrail;
  readonly detector: Detector;
}
/** A whole text, and what it is; `text` becomes what the guardrails leave of it. */
export interface Slot {
  text: string;
  readonly kind: "text" | "json" | "aside";
  /** The stages of which any guardrail looks at it; it is reported under the first that the guardrail has. */
  readonly stages: readonly GuardrailStage[];
  /** Adjacent texts of one group are one text to whoever reads them. */
  readonly group: number;
  readonly tool?: string | undefined;
  readonly declared?: JsonObject | undefined;
}
export interface Inspection {
  readonly call: OpenCall;
  readonly reporter: Reporter;
}

/** Lets the guardrails look at whole texts, one after the other; each sees what those before it left. Errors: what the reporter throws. */
export async function inspect(slots: readonly Slot[], active: readonly Active[], o: Inspection): Promise<void> {
  for (const { guardrail, detector } of active) {
    const own = slots.filter(({ stages, text }) => text !== "" && stageOf(guardrail, stages) !== null);
    if (own.length === 0) continue;
    if (detector.kind === "scan") new Scan(guardrail, detector.scanner, o.reporter).all(own);
    else await judgeAll(guardrail, detector.judge, { slots: own.filter(({ kind }) => kind !== "aside"), ...o });
  }
}

export function stageOf({ rules }: Guardrail, stages: readonly GuardrailStage[]): GuardrailStage | null {
  return stages.find((stage) => rules.stages.includes(stage)) ?? null;
}

class Scan {
  readonly #guardrail: Guardrail;
  readonly #scanner: Scanner;
  readonly #reporter: Reporter;

  constructor(guardrail: Guardrail, scanner: Scanner, reporter: Reporter) {
    this.#guardrail = guardrail;
    this.#scanner = scanner;
    this.#reporter = reporter;
  }

  all(slots: readonly Slot[]): void {
    const chars = slots.reduce((sum, { text }) => sum + text.length, 0);
    if (chars > this.#scanner.maxChars) {
      const stage = stageOf(this.#guardrail, slots[0]!.stages)!;
      this.#reporter.unseen(this.#guardrail, `it has ${chars} characters, and ${this.#scanner.maxChars} can be read`, {
        stage,
        isTooLarge: true,
      });
      return;
    }
    for (const slot of slots) slot.text = slot.kind === "json" ? this.#json(slot) : this.#text(slot.text, slot);
    for (const group of adjacent(slots)) this.#joined(group);
  }

  #text(text: string, slot: Slot): string {
    const matches = findAll(text, 0, this.#scanner.finders);
    this.#report(text, matches, slot);
    return this.#masks ? masked(text, matches) : text;
  }

  #json(slot: Slot): string {
    const places = jsonPlaces(slot.text);
    if (places === null) return this.#text(slot.text, slot);
    const texts = places.map(({ text }) => this.#text(text, slot));
    return this.#masks ? withPlaces(slot.text, places, texts) : slot.text;
  }

  /** What stands in two parts of one message stands in one text. */
  #joined(slots: readonly Slot[]): void {
    const text = slots.map((slot) => slot.text).join("");
    const ends = slots.map(
      (
        (at) => (slot: Slot) =>
          (at += slot.text.length)
      )(0),
    );
    const across = findAll(text, 0, this.#scanner.finders).filter(({ start, end }) => ends.some((edge) => start < edge && edge < end));
    if (across.length === 0) return;
    this.#report(text, across, slots[0]!);
    if (!this.#masks) return;
    for (const [i, slot] of slots.entries()) {
      const end = ends[i]!;
      const begin = end - slot.text.length;
      const parts = across
        .filter((match) => match.start < end && match.end > begin)
        // Its name stands where it begins.
        .map((match) => ({
          ...match,
          label: match.start >= begin ? match.label : "",
          start: Math.max(match.start, begin) - begin,
          end: Math.min(match.end, end) - begin,
        }));
      slot.text = masked(slot.text, parts);
    }
  }

  get #masks(): boolean {
    return this.#guardrail.rules.action === "mask";
  }

  #report(text: string, matches: readonly Match[], slot: Slot): void {
    const stage = stageOf(this.#guardrail, slot.stages)!;
    for (const match of matches)
      this.#reporter.found(this.#guardrail, { ...match, stage, excerpt: excerptOf(text, match, this.#scanner.isShown) });
  }
}

/** The runs of two or more texts of one group. */
function adjacent(slots: readonly Slot[]): readonly (readonly Slot[])[] {
  const groups = new Map<number, Slot[]>();
  for (const slot of slots) if (slot.kind === "text" && slot.group > 0) groups.set(slot.group, [...(groups.get(slot.group) ?? []), slot]);
  return [...groups.values()].filter((group) => group.length > 1);
}

/** Lets somebody judge texts that are whole. */
export async function judgeAll(guardrail: Guardrail, judge: Judge, o: Inspection & { readonly slots: readonly Slot[] }): Promise<void> {
  const { slots, call, reporter } = o;
  if (slots.length === 0) return;
  const stage = stageOf(guardrail, slots[0]!.stages)!;
  const chars = slots.reduce((sum, { text }) => sum + text.length, 0);
  if (chars > judge.maxChars) {
    reporter.unseen(guardrail, `it has ${chars} characters, and ${judge.maxChars} can be judged`, { stage, isTooLarge: true });
    return;
  }
  const texts = slots.map(({ text, kind, tool, declared }) => ({ text, isJson: kind === "json", tool, declared }));
  const { action } = guardrail.rules;
  let judgements;
  try {
    judgements = await judge.judge(texts, { guardrail: guardrail.name, stage, call });
  } catch (error) {
    const mayPass = judge.onError === "allow" || action === "warn" || action === "log";
    reporter.failed(guardrail, error, { stage, mayPass });
    return;
  }
  for (const { index, replacement, ...finding } of judgements) {
    const slot = slots[index]!;
    const excerpt = excerptOfWhole(slot.text);
    reporter.found(guardrail, { ...finding, stage: stageOf(guardrail, slot.stages)!, excerpt });
    if (action === "mask") slot.text = replacement ?? (slot.kind === "json" ? '{"removed":true}' : "[removed]");
  }
}
