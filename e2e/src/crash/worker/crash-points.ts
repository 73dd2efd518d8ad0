import type { RecordStore, StorageAdapter, Unit } from "@sallyport/core/ports";
import type { CrashPoint } from "./worker-options.js";

/** Ends this process as kill -9 does: nothing is closed, nothing more happens here. */
export function crash(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
}

/** A store at which the process dies; the product knows nothing of it. */
export function crashing(adapter: StorageAdapter, point: CrashPoint | null): StorageAdapter {
  if (point === null || point.at === "effect") return adapter;
  let count = 0;
  const isDue = (): boolean => ++count === point.nth;
  const wrap = (store: RecordStore, verb: keyof RecordStore): unknown => {
    const method = store[verb] as ((...args: unknown[]) => Promise<unknown>) | undefined;
    if (verb !== "take" && verb !== "commit") return method?.bind(store);
    return async (...args: unknown[]) => {
      const isTask = (args[0] as { name?: string }).name === "task";
      const happens =
        verb === "take" ? point.at === "take" && isTask : (args[0] as Unit[]).some((unit) => kindsOf(unit).includes(point.at));
      if (!happens) return method?.apply(store, args);
      if (point.moment === "before") return isDue() ? crash() : method?.apply(store, args);
      const result = await method?.apply(store, args);
      // A take that brought nothing is no point worth dying at.
      const counts = verb === "commit" || (result as unknown[]).length > 0;
      return counts && isDue() ? crash() : result;
    };
  };
  return {
    name: adapter.name,
    open: async (o) => new Proxy(await adapter.open(o), { get: (store, verb) => wrap(store, verb as keyof RecordStore) }),
  };
}

function kindsOf(unit: Unit): string[] {
  return unit.writes.flatMap((write) => {
    if (write.op === "insert") return write.entity.name === "task" ? ["accept"] : write.entity.name === "usage" ? ["usage"] : [];
    if (write.op !== "update" || write.entity.name !== "task") return [];
    return [String(write.change.set?.["status"] ?? "renewal")];
  });
}
