/** Who may decide on a call of a tool, in the order in which they are asked. */
export type CallDecider = "catalogue" | "grants" | "argument-rules" | "classification";

/** What one of them says of a call that nobody makes. */
export interface CallCheck {
  readonly by: CallDecider;
  readonly outcome: "passes" | "refuses" | "asks";
  /** Which rule, as it is written or by its name or id; null: none. */
  readonly rule: string | null;
  /** One sentence for people. */
  readonly why: string;
}

/** What would become of a call of a tool. Nothing was sent, counted or written. */
export interface CallExplanation {
  readonly tool: string;
  /** Whose call it would be. */
  readonly caller: { readonly id: string; readonly name: string; readonly kind: string };
  readonly outcome: CallCheck["outcome"];
  /** The check that decides; null: nobody objects. */
  readonly decidedBy: CallDecider | null;
  readonly rule: string | null;
  readonly checks: readonly CallCheck[];
  /** What may still refuse it, and was not asked. */
  readonly notChecked: readonly string[];
}
