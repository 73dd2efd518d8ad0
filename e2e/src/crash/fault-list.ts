/** A test by its file, from the repository's root, and a part of its title. */
export interface FaultTest {
  readonly file: string;
  readonly title: string;
}

const crash = (file: string, title: string): FaultTest => ({ file: `e2e/src/crash/${file}.crash.test.ts`, title });
const at = (file: string, title: string): FaultTest => ({ file: `packages/${file}.test.ts`, title });
const processes = "core/test/processes/tasks";
const scheduler = "core/src/tasks/task-scheduler";
const database = "adapters-mysql/test/faults.services";
const redis = "adapters-redis/src/faults.services";
const withRedis = "adapters-redis/src/gateway.services";
const signIns = "core/test/mcp/oauth/refresh";
const answers = "core/test/mcp/lying/answers";
const lists = "core/test/mcp/lying/lists";
const failures = "core/test/mcp/failures";
const cache = "core/test/policy/response-cache";

/** Which test shows that a fault is survived. */
export const faultList: Readonly<Record<string, readonly FaultTest[]>> = {
  F01: [crash("crash-points", "F01: claim.beforeCommit")],
  F02: [
    crash("crash-points", "F02: task.afterClaim"),
    at(scheduler, "keeps a task from others for five seconds at the most when it dies right after its first claim"),
  ],
  F03: [crash("crash-points", "F03: task.afterEffect")],
  F04: [crash("crash-points", "F04: task.afterCommit")],
  F05: [crash("kills", "F05: a hundred times one of them is killed")],
  F06: [crash("frozen", "F06: frozen past its lease and thawed"), at(processes, "has lost its task when it wakes up")],
  F07: [crash("frozen", "F07: a handler that blocks its event loop")],
  F08: [crash("servers", "F08: together with every worker")],
  F09: [
    crash("servers", "F09: ten times, and started again"),
    at(database, "killed under load and started again, it is used again by itself"),
  ],
  F10: [
    crash("network", "F10: connections are cut at random bytes"),
    at(database, "cut anywhere in its answers, the outcome told is the true one"),
  ],
  F11: [at(database, "deadlocks and lock waits are tried again, whole")],
  F12: [
    crash("one-by-one", "F12: many processes' worth of creations"),
    at(scheduler, "gives 64 creators with one idempotency key one task"),
  ],
  F18: [crash("frozen", "F18: workers five minutes fast and five minutes slow")],
  F19: [
    crash("one-by-one", "F19: one that kills whoever runs it"),
    at(processes, "again and again by what it runs: that becomes a dead letter"),
  ],
  F20: [at(scheduler, "spreads the retries of tasks that failed together")],
  F21: [crash("one-by-one", "F21: a cancel that races the end"), at(scheduler, "has one outcome when it races the completion")],
  F22: [crash("one-by-one", "F22: a parent that dies with its children running")],
  F23: [crash("one-by-one", "F23, F24: told to end"), at(processes, "finishes what it can and exits 0")],
  F24: [crash("one-by-one", "F23, F24: told to end"), at(processes, "hurries at the second signal")],
  F25: [crash("long-queue", "F25: a worker finds what is urgent")],
  F26: [
    at(scheduler, "refuses what is not a task, naming the field"),
    at(scheduler, "keeps a payload exactly"),
    at(scheduler, "refuses a result that is no text"),
  ],
  F27: [crash("mixed-versions", "F27: they work on, one that starts anew refuses")],
  F28: [
    at(database, "while it refuses connections every call fails at once"),
    crash("network", "F29, F31: half open, slow, in pieces, reset"),
  ],
  F29: [at(database, "half open, no call waits past its deadline"), crash("network", "F29, F31: half open, slow, in pieces, reset")],
  F30: [at(database, "with the pool exhausted few wait")],
  F31: [
    at(database, "far away, writes that are asked at once share their way"),
    crash("network", "F29, F31: half open, slow, in pieces, reset"),
  ],
  F32: [at(database, "read-only, writes are refused as store_unavailable")],
  F33: [
    crash("failover", "F33: what it lacks is gone and said to be"),
    at(database, "after a failover nothing is read from the server that was the primary"),
  ],
  F34: [at("adapters-mysql/test/settings.services", "settings of the database (F34)")],
  F35: [at(redis, "is opened without it, fails at once"), at(withRedis, "start, serve, say so and close without it")],
  F36: [crash("servers", "F36, F37, F38: tasks go on without it"), at(redis, "killed under load: nothing hangs, nothing crashes")],
  F37: [crash("servers", "F36, F37, F38: tasks go on without it"), at(redis, "emptied: windows begin anew")],
  F38: [crash("failover", "F38: what it lacks was nowhere needed"), crash("servers", "F36, F37, F38: tasks go on without it")],
  F39: [at(redis, "is away until it takes writes again, and says why (F39)"), at(redis, "that is full evicts what it likes")],
  F40: [at(redis, "slow (2 s): one operation waits for its time"), at(withRedis, "a slow one (2 s) costs one call of many its time")],
  F41: [at(withRedis, "a poisoned value is thrown away"), at(cache, "what was written by somebody else is ignored, deleted and counted")],
  F42: [at(withRedis, "a thousand equal questions to two of them"), at(cache, "a thousand equal calls at once ask the vendor once")],
  F43: [at(cache, "when the first goes, another takes its place")],
  F66: [
    at(answers, "that dies after its effect leaves the outcome unknown, and the effect is done once (F66, F67)"),
    at(failures, "that dies in a call leaves its outcome unknown, and is started again for the next"),
    at("core/src/mcp/resilience/server-guard", "a call that failed (F66)"),
    at("core/test/mcp/idempotency", "that was sent and not answered is never sent again"),
  ],
  F67: [
    at(answers, "that dies after its effect leaves the outcome unknown, and the effect is done once (F66, F67)"),
    at("core/test/mcp/idempotency", "that was sent and not answered is never sent again"),
  ],
  F68: [
    at("core/test/mcp/disconnects", "and gives back its place there (F68)"),
    at("core/test/mcp/four-cells", "toEqual({ ran: 1, cancelled: true })"),
  ],
  F69: [
    at(answers, "that says too much is cut off, and says why (F69)"),
    at(failures, "ends at once"),
    at(failures, "that talks garbage between its messages is understood"),
    at("core/src/platform/stdio/stdio-spawner", "that floods its error output costs a bounded memory, and its end is kept"),
  ],
  F70: [at(failures, "is gone when the proxy is closed, also when it ignores SIGTERM (F70)")],
  F71: [
    at(lists, "without an end is read up to a limit, and the other servers are there (F71)"),
    at(lists, "that goes in a circle ends (F71)"),
  ],
  F72: [
    at(lists, "of which one hangs and one is slow are listed without those two (F72)"),
    at("core/test/mcp/resilience", "one server of twenty that never answers, and one that is down, keep nobody's list past its time (F72)"),
  ],
  F73: [at(lists, "that changes a thousand times a second is read once in it (F73)")],
  F74: [
    at(lists, "with tools of one name are each called by their own (F74)"),
    at("core/test/mcp/namespaces", "have a prefix where two have the same name, and where a name would look like another server's"),
    at("core/test/mcp/shape", "is the same whichever other tools and servers there are"),
  ],
  F75: [
    at(signIns, "and a rotating refresh token is spent once (F75)"),
    {
      file: "e2e/src/many-nodes/signed-in.crash.test.ts",
      title: "spend a rotating refresh token once for fifty calls at a time, and keep the sign-in (F75)",
    },
  ],
  F76: [at(signIns, "ends with a person, and not in a circle (F76)")],
  F77: [
    at("core/test/mcp/oauth/inbound", "lets nobody in while the issuer's keys cannot be had, and recovers (F77)"),
    at("core/test/mcp/oauth/lies", "and nobody comes in without a token meanwhile (F77)"),
  ],
  F78: [at(answers, "that agrees on a revision nobody knows (%j) is not connected, and the one beside it is (F78)")],
};

/** Faults of the list that nothing shows yet, and why. */
export const notYetShown: Readonly<Record<string, string>> = {};
