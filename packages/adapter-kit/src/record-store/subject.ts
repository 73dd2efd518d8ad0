import type { RecordStore } from "@sallyport/core/ports";
import type { Case } from "../contract.js";

/** A record store that holds nothing, opened with `kitEntities`. */
export interface StoreSubject {
  readonly store: RecordStore;
  /** A second way to the same data, as another process has it; the same store when there is none. The kit closes it. */
  another?(): Promise<RecordStore>;
}

export type StoreCase = Case<StoreSubject>;

/** The two ways in: `store` and what `another` gives. */
export async function both(subject: StoreSubject): Promise<{ stores: readonly RecordStore[]; close(): Promise<void> }> {
  const other = await subject.another?.();
  return {
    stores: other === undefined ? [subject.store] : [subject.store, other],
    close: async () => {
      await other?.close();
    },
  };
}

/** Cases of one concern. */
export function concern(name: string, cases: Readonly<Record<string, (subject: StoreSubject) => Promise<void>>>): readonly StoreCase[] {
  return Object.entries(cases).map(([title, run]) => ({ concern: name, title, run }));
}
