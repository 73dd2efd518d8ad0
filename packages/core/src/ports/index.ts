// What adapters implement, and the errors, calls and entities that they need for it.
export { GatewayError, type ErrorCode, type GatewayErrorOptions } from "../errors/index.js";
export { Secret } from "../util/secret.js";
export { type Headers, type Json, type JsonObject } from "../calls/index.js";
export { decodeChangesCursor, decodeCursor, encodeCursor, type Position } from "./cursor.js";
export {
  encodeChange,
  encodeUnits,
  type EncodedAppend,
  type EncodedChange,
  type EncodedErase,
  type EncodedInsert,
  type EncodedRemove,
  type EncodedUnit,
  type EncodedUpdate,
  type EncodedWrite,
  type StoredInput,
} from "./encode-unit.js";
export {
  type Blobs,
  type Clock,
  type Crypto,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type McpFrame,
  type McpSpawner,
  type McpWire,
  type MigratableStorage,
  type SecretSource,
  type Shared,
  type SharedAdapter,
  type StdioServer,
  type StorageAdapter,
} from "./outside.js";
export {
  assertChange,
  assertFind,
  assertSum,
  assertTake,
  assertWhere,
  fieldTest,
  movesVersion,
  orderOf,
  type FieldTest,
} from "./query-checks.js";
export {
  type Change,
  type ChangesPage,
  type FindQuery,
  type KeptInstants,
  type ReadQuery,
  type RecordStore,
  type Scope,
  type StoreNow,
  type SumQuery,
  type SumRow,
  type TakeQuery,
  type Test,
  type Unit,
  type UnitResult,
  type Where,
  type Within,
  type Write,
} from "./record-store.js";
export { assertFields, assertKey, decodeRow, decodeValue, encodeValue, isStoreNow, type StoredScalar } from "./stored-value.js";
export {
  type Adjustment,
  type Bus,
  type Cache,
  type Counters,
  type CountersNow,
  type Demand,
  type Slot,
  type Spending,
  type Wakeup,
} from "./volatile.js";
export { assertWithin } from "./within.js";
export { append, erase, insert, moveIn, now, nowPlus, remove, update, type NewRow } from "./writes.js";
