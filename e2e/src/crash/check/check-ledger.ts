/** What a ledger holds of one call. */
export interface UsageRow {
  readonly id: string;
  readonly requestId: string;
  readonly costNanoUsd: number | null;
}

export interface RecordedCalls {
  /** Ids of requests whose answer had begun to reach their caller. */
  readonly accepted: readonly string[];
  /** Ids of all requests that were sent. */
  readonly sent: ReadonlySet<string>;
  readonly usage: readonly UsageRow[];
  readonly window: { readonly limit: number; readonly left: number; readonly spent: number; readonly reserved: number } | null;
  /** Reservations and open calls that nobody settled. */
  readonly leftOver: number;
}

/** Every accepted call has one row, no call has two, the budget says what the rows say, and nothing is set aside for calls that are over. */
export function checkLedger({ accepted, sent, usage, window, leftOver }: RecordedCalls): string[] {
  const faults: string[] = [];
  const rowsOf = new Map<string, number>();
  for (const { requestId } of usage) rowsOf.set(requestId, (rowsOf.get(requestId) ?? 0) + 1);
  for (const id of accepted) if (!rowsOf.has(id)) faults.push(`lost: ${id} was answered and has no usage row`);
  for (const [id, rows] of rowsOf) {
    if (rows > 1) faults.push(`doubled: ${id} has ${rows} usage rows`);
    if (!sent.has(id)) faults.push(`from nowhere: ${id} has a usage row and was never sent`);
  }
  if (leftOver > 0) faults.push(`left over: ${leftOver} reservations and open calls`);
  if (window === null) return usage.length > 0 ? [...faults, "the budget has no window"] : faults;
  const spent = usage.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0);
  if (window.spent !== spent) faults.push(`the budget says that ${window.spent} were spent, the rows say ${spent}`);
  if (window.reserved !== 0) faults.push(`the budget still reserves ${window.reserved}`);
  if (window.limit !== window.left + window.spent + window.reserved)
    faults.push(
      `the budget does not add up: ${window.limit} is not ${window.left} left + ${window.spent} spent + ${window.reserved} reserved`,
    );
  return faults;
}
