import type { EndedTask, Recorded, Seen, Transition } from "./recorded.js";

export interface CheckOptions {
  /** How much later than the statement's own time the trigger may have looked at the clock (SQLite: the time of the transaction's beginning counts). */
  readonly slackMs: number;
  /** Attempts may not be more than this beside those given back; null: the row's own bound and the one that says so. */
  readonly maxAttempts: number | null;
}

const ENDS: ReadonlySet<string | null> = new Set(["succeeded", "failed", "cancelled"]);

/**
 * Everything that was promised and not kept, a sentence each: accepted tasks are there and ended once, as planned; a task belongs to one attempt at a time; nothing is written by one that lost its
 * lease; effects by key are tasks; attempts are within bounds.
 */
export function checkTasks(recorded: Recorded, o: CheckOptions): string[] {
  const transitions = byTask(recorded.history);
  const effects = byTask(recorded.seen.filter(({ saw }) => saw === "effect"));
  return [
    ...checkAcceptance(recorded),
    ...recorded.rows.flatMap((row) => checkLife(row, transitions.get(row.id) ?? [], o)),
    ...recorded.rows.flatMap((row) => checkEffects(row, effects.get(row.id) ?? [])),
    ...recorded.rows.flatMap((row) => checkBounds(row, o)),
    ...strangers(recorded),
  ];
}

function byTask<T extends { readonly task: string }>(all: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(one.task);
    if (group === undefined) groups.set(one.task, [one]);
    else group.push(one);
  }
  return groups;
}

function checkAcceptance({ accepted, rows }: Recorded): string[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const idOfKey = new Map<string, string>();
  const faults: string[] = [];
  for (const { id, key, ends } of accepted) {
    const row = byId.get(id);
    if (row === undefined) faults.push(`lost: ${id} was accepted and is gone`);
    else if (!ENDS.has(row.status)) faults.push(`lost: ${id} was accepted and never ended (${row.status})`);
    else if (ends === "succeeded" && row.status !== "succeeded") faults.push(`not as planned: ${id} ended as ${row.status}`);
    else if (ends === "dead" && !(row.status === "failed" && row.deadLetter))
      faults.push(`not as planned: ${id} is no dead letter (${row.status})`);
    if (key === null) continue;
    const other = idOfKey.get(key);
    if (other !== undefined && other !== id) faults.push(`doubled: key ${key} was answered with ${other} and with ${id}`);
    idOfKey.set(key, id);
  }
  const standing = new Map<string, string>();
  for (const { id, key } of rows) {
    if (key === null) continue;
    if (standing.has(key)) faults.push(`doubled: key ${key} has the rows ${standing.get(key)} and ${id}`);
    standing.set(key, id);
  }
  return faults;
}

/** Follows a task's writes one by one. */
function checkLife(row: EndedTask, transitions: readonly Transition[], o: CheckOptions): string[] {
  const faults: string[] = [];
  const say = (what: string): void => void faults.push(`${what}: ${row.id}`);
  if (transitions[0]?.from !== null) say("history does not begin with the task's creation");
  let ends = 0;
  let attempt = 0;
  for (const t of transitions) {
    if (t.to === null) say("removed");
    if (t.from === null || t.to === null) continue;
    const isTake = t.to === "running" && t.toAttempt !== t.fromAttempt;
    if (t.fromAttempt !== attempt) say(`history jumps from attempt ${attempt} to ${t.fromAttempt}`);
    attempt = t.toAttempt ?? attempt;
    if (ENDS.has(t.from)) say(`doubled: it ended as ${t.from} and was then written as ${t.to}`);
    if (ENDS.has(t.to) && !ENDS.has(t.from)) ends++;
    if (isTake) faults.push(...checkTake(row, t));
    else if (t.toAttempt !== t.fromAttempt) say(`the attempt changed from ${t.fromAttempt} to ${t.toAttempt} without a claim`);
    else if (t.from === "running" && (t.fromReadyAtMs ?? 0) + o.slackMs <= t.atMs && !isHandBack(t))
      say(`stale: attempt ${t.fromAttempt} wrote ${t.to} ${t.atMs - (t.fromReadyAtMs ?? 0)} ms after its lease was over`);
    else if (t.from === "pending" && t.to !== "cancelled" && t.to !== "pending") say(`it went from pending to ${t.to} without a claim`);
  }
  if (ENDS.has(row.status) && ends !== 1) say(`doubled: it ended ${ends} times`);
  if (attempt !== row.attempt) say(`stale: the row says attempt ${row.attempt}, its history ${attempt}`);
  if (row.status === "succeeded" && row.result?.attempt !== row.attempt)
    say(`stale: its result is of attempt ${row.result?.attempt}, its last one was ${row.attempt}`);
  return faults;
}

/** Cancelling a task whose lease is over is anybody's right. */
const isHandBack = (t: Transition): boolean => t.to === "cancelled";

function checkTake(row: EndedTask, t: Transition): string[] {
  if (t.toAttempt !== (t.fromAttempt ?? 0) + 1) return [`claimed twice: ${row.id} went from attempt ${t.fromAttempt} to ${t.toAttempt}`];
  if (t.from === "running" && (t.fromReadyAtMs ?? 0) > t.atMs)
    return [
      `claimed twice: ${row.id} was taken ${(t.fromReadyAtMs ?? 0) - t.atMs} ms before the lease of attempt ${t.fromAttempt} was over`,
    ];
  if (t.from === "pending" && (t.fromReadyAtMs ?? 0) > t.atMs) return [`early: ${row.id} was taken before it was due`];
  return t.from === "running" || t.from === "pending" ? [] : [`doubled: ${row.id} was taken when it had ended as ${t.from}`];
}

function checkEffects(row: EndedTask, effects: readonly Seen[]): string[] {
  const faults: string[] = [];
  const attempts = new Map<number, string>();
  if (row.status === "succeeded" && effects.length === 0) faults.push(`lost: ${row.id} succeeded and did nothing`);
  if (new Set(effects.map(({ key }) => key)).size > 1) faults.push(`${row.id} had several idempotency keys`);
  for (const { attempt, worker } of effects) {
    const other = attempts.get(attempt);
    if (other !== undefined) faults.push(`claimed twice: attempt ${attempt} of ${row.id} was ${other}'s and ${worker}'s`);
    attempts.set(attempt, worker);
    if (attempt > row.attempt) faults.push(`${row.id} had an effect of attempt ${attempt} and says ${row.attempt}`);
  }
  if (row.status === "succeeded" && row.result !== null && attempts.get(row.attempt) !== row.result.by)
    faults.push(`stale: the result of ${row.id} is ${row.result.by}'s, its last attempt was ${attempts.get(row.attempt)}'s`);
  return faults;
}

function checkBounds(row: EndedTask, o: CheckOptions): string[] {
  // One more than the bound: the attempt that says that all were used up.
  const most = o.maxAttempts ?? row.maxAttempts + 1;
  const counted = row.attempt - row.uncounted;
  return counted > most ? [`${row.id} had ${counted} attempts of ${most}`] : [];
}

/** Rows, histories and effects that nobody asked for. */
function strangers({ accepted, unknown, rows, seen }: Recorded): string[] {
  const known = new Set(accepted.map(({ id }) => id));
  const keys = new Set(accepted.flatMap(({ key, id }) => (key === null ? [id] : [key, id])));
  const isAsked = ({ id, key }: EndedTask): boolean => known.has(id) || unknown.has(key ?? "") || keys.has(key?.replace(/:\d+$/, "") ?? "");
  const faults = rows.filter((row) => !isAsked(row)).map(({ id }) => `from nowhere: nobody asked for ${id}`);
  const standing = new Set(rows.map(({ id }) => id));
  for (const { saw, task } of seen) if (saw === "effect" && !standing.has(task)) faults.push(`lost: ${task} had an effect and is gone`);
  return [...new Set(faults)];
}
