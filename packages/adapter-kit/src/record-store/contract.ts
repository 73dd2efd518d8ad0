import { registerCases, type Make, type TestFunction } from "../contract.js";
import { basic, closing } from "./basic.js";
import { changeLog } from "./change-log.js";
import { concurrency } from "./concurrency.js";
import { guards } from "./writes/guards.js";
import { logs } from "./logs.js";
import { moved } from "./writes/moved.js";
import { paging } from "./paging.js";
import { refs } from "./writes/refs.js";
import { refusals } from "./writes/refusals.js";
import { scope } from "./scope.js";
import type { StoreCase, StoreSubject } from "./subject.js";
import { sums } from "./sums.js";
import { take } from "./take.js";

/** Everything that `RecordStore` promises. */
export const recordStoreCases: readonly StoreCase[] = [
  ...basic,
  ...refusals,
  ...guards,
  ...refs,
  ...scope,
  ...paging,
  ...logs,
  ...moved,
  ...sums,
  ...take,
  ...changeLog,
  ...concurrency,
  ...closing,
];

/** Registers the contract of a record store. `make` gives an empty store that was opened with `kitEntities`, a new one each time. */
export function recordStoreContract(runner: { readonly test: TestFunction; readonly make: Make<StoreSubject> }): void {
  registerCases(recordStoreCases, runner);
}
