/** What is measured of a store. Each method does its work once and says how many units that were. */
export interface Workload {
  /** So many appends, to as many conversations, together. */
  append(count: number): Promise<number>;
  /** So many rows of the usage ledger, each a unit of its own, together. */
  ledger(count: number): Promise<number>;
  /** So many amounts set aside in one window: a bounded add and a reservation each, together. */
  hot(count: number): Promise<number>;
  /** Makes tasks that may be taken. */
  addTasks(count: number): Promise<void>;
  /** Takes up to so many tasks and completes them. */
  claim(count: number): Promise<number>;
  /** The newest fifty calls of a project. */
  list(): Promise<number>;
  /** Fifty calls of one caller in a project within an hour. */
  search(): Promise<number>;
  /** Fifty calls from the middle of a project's. */
  page(): Promise<number>;
  close(): Promise<void>;
}
