import { appendFileSync } from "node:fs";
import type { RecordStore, StorageAdapter, Unit } from "../../src/ports/index.js";

// For child processes of tests: a store at which the process kills itself, before or after its nth write of a kind.

/** `take`, or the kind of a commit: a field's new value, or a journal entry's kind. */
export interface CrashPoint {
  readonly at: string;
  readonly moment: "before" | "after";
  readonly nth: number;
}

export function crash(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  // The signal is on its way: nothing more happens here.
  return new Promise(() => undefined);
}

export function crashing(adapter: StorageAdapter, point: CrashPoint | null): StorageAdapter {
  return {
    name: adapter.name,
    open: async (o) => {
      const store = await adapter.open(o);
      return point === null ? store : new Proxy(store, { get: (target, verb) => wrap(target, verb as keyof RecordStore, point) });
    },
  };
}

const seen = new WeakMap<CrashPoint, number>();

function wrap(store: RecordStore, verb: keyof RecordStore, point: CrashPoint): unknown {
  const method = store[verb] as ((...args: unknown[]) => Promise<unknown>) | undefined;
  if (method === undefined) return undefined; // somebody looks whether it is a promise
  if (verb !== "take" && verb !== "commit") return method.bind(store);
  return async (...args: unknown[]) => {
    const happens = verb === "take" ? point.at === "take" : (args[0] as Unit[]).some((unit) => kindsOf(unit).includes(point.at));
    if (!happens) return method.apply(store, args);
    if (point.moment === "before") return isDue(point) ? crash() : method.apply(store, args);
    const result = await method.apply(store, args);
    // A take that brought nothing is no point worth dying at.
    const counts = verb === "commit" || (result as unknown[]).length > 0;
    return counts && isDue(point) ? crash() : result;
  };
}

function isDue(point: CrashPoint): boolean {
  const nth = (seen.get(point) ?? 0) + 1;
  seen.set(point, nth);
  return nth === point.nth;
}

function kindsOf(unit: Unit): string[] {
  return unit.writes.flatMap((write) => {
    if (write.op === "update") return [String(write.change.set?.["status"] ?? "renewal")];
    return write.op === "append" ? write.entries.map((entry) => String(entry["kind"] ?? "event")) : ["insert"];
  });
}

/** One line for each effect in the world outside: what a database of ours cannot take back. */
export function effect(file: string, line: string): void {
  appendFileSync(file, `${line}\n`);
}
