/** One promise of a port, as an executable sentence. */
export interface Case<S> {
  /** A group of cases: "basic", "guards", "concurrency". */
  readonly concern: string;
  /** What holds. */
  readonly title: string;
  run(subject: S): Promise<void>;
}

/** A test runner's function: vitest's `test`, node:test's `test`, or any other that takes a title and a body. */
export type TestFunction = (title: string, body: () => Promise<void>) => unknown;

/** Something under test, new and empty, and how to be rid of it. */
export interface Made<S> {
  readonly subject: S;
  dispose?(): Promise<void>;
}
export type Make<S> = () => Promise<Made<S>> | Made<S>;

async function runCase<S>(one: Case<S>, make: Make<S>): Promise<void> {
  const made = await make();
  try {
    await one.run(made.subject);
  } finally {
    await made.dispose?.();
  }
}

/** Registers every case with the runner. There are no skips: an adapter keeps the whole contract or is none. */
export function registerCases<S>(cases: readonly Case<S>[], runner: { readonly test: TestFunction; readonly make: Make<S> }): void {
  for (const one of cases) runner.test(`${one.concern}: ${one.title}`, () => runCase(one, runner.make));
}

export interface CaseFailure {
  readonly concern: string;
  readonly title: string;
  readonly error: unknown;
}

/** Runs cases one after the other and gives those that failed: for trying a contract on an adapter that is meant to break it. */
export async function failuresOf<S>(cases: readonly Case<S>[], make: Make<S>): Promise<CaseFailure[]> {
  const failures: CaseFailure[] = [];
  for (const one of cases)
    try {
      await runCase(one, make);
    } catch (error) {
      failures.push({ concern: one.concern, title: one.title, error });
    }
  return failures;
}
