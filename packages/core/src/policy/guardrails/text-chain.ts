import { judgeAll, stageOf, type Active, type Inspection, type Slot } from "./inspect.js";
import { excerptOf } from "./excerpt.js";
import { ScanStream } from "./scan-stream.js";

interface Link {
  push(text: string): string;
  end(): string | Promise<string>;
}

/**
 * A text as it comes, past every guardrail that looks at it: what leaves one is what the next sees. Guardrails that refuse or mask hold back what may still become part of something,
 * those that judge whole texts all of it; the others let it pass and look on. Errors: what the reporter throws.
 */
export class TextChain {
  readonly #links: readonly Link[];

  constructor(active: readonly Active[], o: Inspection & { readonly stages: Slot["stages"] }) {
    this.#links = active.filter(({ guardrail }) => stageOf(guardrail, o.stages) !== null).map((each) => linkOf(each, o));
  }

  get isEmpty(): boolean {
    return this.#links.length === 0;
  }

  /** What may leave now. */
  push(text: string): string {
    let left = text;
    for (const link of this.#links) {
      if (left === "") return "";
      left = link.push(left);
    }
    return left;
  }

  /** The rest: nothing follows. */
  async end(): Promise<string> {
    let left = "";
    for (const link of this.#links) {
      const before = left === "" ? "" : link.push(left);
      const rest = link.end();
      left = before + (typeof rest === "string" ? rest : await rest);
    }
    return left;
  }
}

/** Whether a guardrail lets nothing pass that it has not decided about. */
export function holdsBack({ guardrail }: Active): boolean {
  return guardrail.rules.action === "block" || guardrail.rules.action === "mask";
}

function linkOf(active: Active, o: Inspection & { readonly stages: Slot["stages"] }): Link {
  return active.detector.kind === "scan" ? scanLink(active, o) : judgeLink(active, o);
}

function scanLink(active: Active, { reporter, stages }: Inspection & { readonly stages: Slot["stages"] }): Link {
  const { guardrail, detector } = active;
  if (detector.kind !== "scan") throw new TypeError("It is no scanner.");
  const { scanner } = detector;
  const stage = stageOf(guardrail, stages)!;
  const masks = guardrail.rules.action === "mask";
  const stream = new ScanStream(scanner, {
    holds: holdsBack(active),
    onMatch: (match, text) => {
      reporter.found(guardrail, { ...match, stage, excerpt: excerptOf(text, match, scanner.isShown) });
      return masks ? match.label : null;
    },
  });
  let chars = 0;
  return {
    push: (text) => {
      chars += text.length;
      if (chars <= scanner.maxChars) return stream.push(text);
      // Thrown, or it passes unseen from here on.
      reporter.unseen(guardrail, `it has more than ${scanner.maxChars} characters`, { stage, isTooLarge: true });
      return stream.end() + text;
    },
    end: () => stream.end(),
  };
}

function judgeLink(active: Active, o: Inspection & { readonly stages: Slot["stages"] }): Link {
  const { guardrail, detector } = active;
  if (detector.kind !== "judge") throw new TypeError("It is no judge.");
  const holds = holdsBack(active);
  let whole = "";
  return {
    push: (text) => {
      whole += text;
      return holds ? "" : text;
    },
    end: async () => {
      const slot: Slot = { text: whole, kind: "text", stages: o.stages, group: 0 };
      whole = "";
      if (slot.text !== "") await judgeAll(guardrail, detector.judge, { ...o, slots: [slot] });
      return holds ? slot.text : "";
    },
  };
}
