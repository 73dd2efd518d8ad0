export { failuresOf, type Case, type CaseFailure, type Made, type Make, type TestFunction } from "./contract.js";
export { recordStoreCases, recordStoreContract } from "./record-store/contract.js";
export { kitEntities } from "./record-store/entities.js";
export { type StoreCase, type StoreSubject } from "./record-store/subject.js";
export {
  answering,
  endingAt,
  endless,
  holding,
  informing,
  inTurn,
  poisoning,
  refusingEarly,
  resettingAt,
  silent,
  splitting,
  stallingAfter,
} from "./upstreams/behaviours.js";
export { messagesDialect } from "./upstreams/dialects/anthropic-messages.js";
export { transcript, type Counts, type Dialect } from "./upstreams/dialects/dialect.js";
export { googleDialect } from "./upstreams/dialects/google-genai.js";
export { chatDialect } from "./upstreams/dialects/openai-chat.js";
export { responsesDialect } from "./upstreams/dialects/openai-responses.js";
export { bytesOf, jsonAnswer, rawAnswer, sse, type AnswerShape, type RawAnswer } from "./upstreams/http-answers.js";
export {
  misbehavingUpstream,
  refusingUpstream,
  type Arrived,
  type Behaviour,
  type Upstream,
  type Wire,
} from "./upstreams/misbehaving-upstream.js";
export { blobsCases, blobsContract, type BlobsSubject } from "./volatile/blobs.js";
export { busCases, busContract, type BusSubject } from "./volatile/bus.js";
export { cacheCases, cacheContract, type CacheSubject } from "./volatile/cache.js";
export { countersCases, countersContract, type CountersSubject } from "./volatile/counters.js";
export { type Patience, type Time } from "./volatile/subject.js";
export { wakeupCases, wakeupContract, type WakeupSubject } from "./volatile/wakeup.js";
