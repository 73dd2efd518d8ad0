export {
  lyingAuthorizationServer,
  type LyingAuthorizationServer,
  type SeenRequest,
  type TokenLie,
} from "./lying-authorization-server/authorization-server.js";
export { type Issued } from "./lying-authorization-server/grants.js";
export { protectedMcpServer, type ProtectedMcpServer } from "./lying-authorization-server/protected-mcp-server.js";
export { failuresOf, type Case, type CaseFailure, type Made, type Make, type TestFunction } from "./contract.js";
export { failure, notice, result, said, type Asked, type Lie, type Speaker } from "./lying-mcp-server/asked.js";
export { lies } from "./lying-mcp-server/lies.js";
export { lyingMcpServer, type LyingMcpServer, type LyingMcpServerOptions } from "./lying-mcp-server/lying-mcp-server.js";
export { recordStoreCases, recordStoreContract } from "./record-store/contract.js";
export { kitEntities } from "./record-store/entities.js";
export { answerOf, storeQuestions, type StoreQuestion } from "./record-store/questions.js";
export { type StoreCase, type StoreSubject } from "./record-store/subject.js";
export { assertHostileTextIsKept, type HostileTextSubject } from "./hostile/hostile-text.js";
export { listeningDriver } from "./hostile/listening-driver.js";
export { faultProxy, type Fault, type FaultProxy } from "./servers/fault-proxy.js";
export { findBinary, hasService, type Service } from "./servers/installed-service.js";
export { privateMariadb, type MariadbOptions, type PrivateMariadb } from "./servers/private-mariadb.js";
export { privateRedis, type PrivateRedis, type RedisOptions } from "./servers/private-redis.js";
export { freePort, type PrivateServer } from "./servers/private-server.js";
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
