import type { Case } from "../contract.js";

/** Time as the adapter under test has it: a fake clock moves, a real service is waited for. */
export interface Time {
  now(): number;
  /** Lets this many ms pass. */
  pass(ms: number): Promise<void>;
}

export function casesOf<S>(concern: string, cases: Readonly<Record<string, (subject: S) => Promise<void>>>): readonly Case<S>[] {
  return Object.entries(cases).map(([title, run]) => ({ concern, title, run }));
}

export const repeat = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** How long a case waits for news before it fails: thirty seconds when left out. */
export interface Patience {
  readonly patienceMs?: number;
}

/** Resolves when the condition holds; looks again in each turn of the event loop. */
export async function eventually(subject: Patience, what: string, holds: () => boolean): Promise<void> {
  const untilMs = Date.now() + (subject.patienceMs ?? 30_000);
  while (!holds()) {
    if (Date.now() > untilMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
