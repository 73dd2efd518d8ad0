import fc from "fast-check";
import { exportStore, type ExportOptions } from "../../src/backup/export-store.js";
import { importStore, type ImportOptions } from "../../src/backup/import-store.js";
import {
  alertChannel,
  allEntities,
  batchLine,
  budget,
  budgetWindow,
  fileChunk,
  gatewayKey,
  idempotencyKey,
  plainKey,
  project,
  run,
  runEvent,
  runStep,
  storedProvider,
  storedProviderKey,
  task,
  team,
  usageEntry,
  user,
  vendorObject,
  webSession,
  type AnyEntity,
  type AnyLogEntity,
  type Entity,
  type LogEntity,
} from "../../src/entities/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { append, insert, type RecordStore, type Write } from "../../src/ports/index.js";
import { systemClock } from "../../src/memory/system-clock.js";

export const clock = systemClock;
export const soon = () => ({ deadlineMs: clock.now() + 60_000 });
export const system = { system: "test" };
export const everything: readonly (AnyEntity | AnyLogEntity)[] = allEntities;

type Row = Record<string, unknown>;
const row = (entity: AnyEntity, values: Row): Write => insert(entity as Entity<Row>, values);
const entries = (log: AnyLogEntity, stream: string, of: readonly Row[]): Write => append(log as LogEntity<Row>, stream, { entries: of });

/** Text that every store keeps: well formed. */
const text = fc.string({ unit: "grapheme", maxLength: 30 });
const short = fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 });
/** What JSON can say, own `__proto__` keys too. */
const json = fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const hex = fc
  .array(fc.integer({ min: 0, max: 15 }), { minLength: 64, maxLength: 64 })
  .map((nibbles) => nibbles.map((n) => n.toString(16)).join(""));

const nothing = {
  ...{
    result: null,
    error: null,
    priority: 0,
    dueAtMs: 1,
    readyAtMs: 1,
    attempt: 1,
    uncounted: 0,
    maxAttempts: 3,
    backoffMs: 1,
    leaseMs: 1_000,
  },
  ...{ cancelRequested: false, cancelReason: null, deadLetter: false, payloadHash: "h", createdBy: "me", startedAtMs: 1, finishedAtMs: 2 },
};
export const taskRow = (id: string, over: Row = {}): Row => ({
  ...{ id, projectId: "p1", type: "t", status: "succeeded", payload: 1, holder: "node_1", idempotencyKey: null, ...nothing, ...over },
});
export const runRow = (id: string, over: Row = {}): Row => ({
  ...{
    id,
    projectId: "p1",
    status: "succeeded",
    model: "m",
    input: [],
    tools: [],
    options: {},
    caller: {},
    text: null,
    output: null,
    error: null,
  },
  ...{ usage: {}, steps: 1, attempt: 1, leaseUntilMs: 0, holder: null, cancelRequested: false, cancelReason: null, idempotencyKey: null },
  ...{ payloadHash: "h", startedAtMs: 1, finishedAtMs: 2, waitingSinceMs: null, waitedMs: null, ...over },
});
export const keyRow = (id: string, over: Row = {}): Row => ({
  ...{ ...plainKey, id, kind: "key", name: id, projectId: "p1", scopes: ["models:*"], digest: id.padEnd(64, "0").slice(0, 64), ...over },
});
export const providerRow = (id: string, over: Row = {}): Row => ({
  ...{
    id,
    name: id.replaceAll("_", "-"),
    vendor: "openai",
    baseUrl: null,
    apiKey: null,
    protocols: null,
    quirks: null,
    auth: null,
    enabled: true,
    ...over,
  },
});
export const sessionRow = (id: string, over: Row = {}): Row => ({
  ...{ id, projectId: "p1", title: null, userId: null, agentId: null, provider: null, model: null, instructions: null, status: "active" },
  ...{ mcp: { tools: [], instructions: [], operations: [] }, messageCount: 0, bytes: 0, lastSeq: 0, lastMessageAtMs: null, parentId: null },
  ...{ branchSeq: null, pinned: [], summary: null, summarySeq: 0, summaryUntilMs: 0, turnId: null, lastAccessedAtMs: 0, expiresAtMs: 9e12 },
  ...{ metadata: {}, ...over },
});
const usageRow = (id: string, over: Row): Row => ({
  ...{
    id,
    atMs: 5,
    projectId: "p1",
    callerId: "c",
    kind: "model",
    keyId: null,
    userId: null,
    teamId: null,
    agentId: null,
    requestId: null,
  },
  ...{
    operation: null,
    name: "n",
    server: null,
    provider: null,
    model: null,
    runId: null,
    purpose: null,
    inputTokens: 1,
    cacheReadTokens: null,
  },
  ...{
    cacheWriteTokens: null,
    outputTokens: null,
    reasoningTokens: null,
    detail: null,
    costNanoUsd: 7,
    unpriced: null,
    savedNanoUsd: null,
  },
  ...{ attempts: 1, tried: null, estimated: false, partial: false, status: 200, durationMs: 3, ...over },
});
const vendorRow = (id: string, over: Row = {}): Row => ({
  ...{
    id,
    projectId: "p1",
    kind: "batch",
    status: "succeeded",
    purpose: "p",
    model: null,
    provider: null,
    ref: null,
    keyPrint: null,
    caller: {},
    data: {},
  },
  ...{
    error: null,
    total: 1,
    completed: 1,
    failed: 0,
    readyAtMs: 0,
    attempt: 0,
    cancelRequested: false,
    expiresAtMs: null,
    idempotencyKey: null,
  },
  ...{ payloadHash: "h", startedAtMs: null, finishedAtMs: null, ...over },
});

const lists = {
  projects: fc.array(fc.record({ name: short, description: fc.option(text) }), { maxLength: 4 }),
  tasks: fc.array(fc.record({ payload: json, projectId: fc.constantFrom("p1", "p2"), status: fc.constantFrom("succeeded", "pending") }), {
    maxLength: 8,
  }),
  runs: fc.array(
    fc.record({ text: fc.option(text), bodies: fc.array(json, { maxLength: 5 }), status: fc.constantFrom("failed", "running") }),
    { maxLength: 5 },
  ),
  keys: fc.array(fc.record({ digest: hex, expiresAtMs: fc.option(fc.nat()), previousDigest: fc.option(hex) }), { maxLength: 4 }),
  secrets: fc.array(fc.option(text), { maxLength: 4 }),
  costs: fc.array(fc.option(fc.maxSafeInteger()), { maxLength: 5 }),
};

const fixed = (): readonly Write[] => [
  row(alertChannel, { id: "channel_1", name: "c", kind: "webhook", settings: {}, secret: "hunter2-channel", enabled: true }),
  row(user, {
    ...{ id: "user_1", projectId: "p1", username: "ada", name: null, email: "ada@example.org", passwordHash: "$argon2id$hunter2" },
    ...{ externalId: null, enabled: true, lastLoginAtMs: null, sessionsFromMs: 0 },
  }),
  row(webSession, {
    ...{
      id: "ws_1",
      projectId: "p1",
      userId: "user_1",
      digest: "d".repeat(64),
      by: "password",
      beganAtMs: 1,
      lastSeenAtMs: 1,
      expiresAtMs: 9e12,
    },
    ...{ revokedAtMs: null, address: null, agent: null },
  }),
  row(idempotencyKey, {
    ...{ id: "ik_1", projectId: "p1", callerId: "c", key: "k", payloadHash: "e".repeat(64), state: "done", status: 200, answer: "{}" },
    ...{ withheld: [], leaseUntilMs: 0, expiresAtMs: 9e12 },
  }),
  row(budget, {
    ...{ id: "budget_1", projectId: "p1", name: "b", scope: "project", scopeId: "p1", amountUsd: "12.5", period: "day", timezone: "UTC" },
    ...{ hard: true, thresholds: [50], enabled: true, allProjects: null },
  }),
  row(budgetWindow, {
    ...{ id: "bw_1", projectId: "p1", budgetId: "budget_1", budgetVersion: 1, startMs: 0, endMs: null, limitNanoUsd: 100 },
    ...{ leftNanoUsd: 60, spentNanoUsd: 30, reservedNanoUsd: 10, firedPercent: 0 },
  }),
];

const ofLedgersAndFiles = (costs: Contents["costs"]): readonly Write[] => [
  ...costs.map((costNanoUsd, i) => row(usageEntry, usageRow(`call_${i}`, { costNanoUsd, atMs: i }))),
  row(vendorObject, vendorRow("batch_1")),
  entries(batchLine, "batch_1", [{ projectId: "p1", customId: "c", ok: true, status: 200, requestId: "r", body: "{}" }]),
  row(vendorObject, vendorRow("file_1", { kind: "file" })),
  row(fileChunk, { id: "file_1-0", fileId: "file_1", projectId: "p1", data: "AAAA" }),
];

/** A store's content: rows of records, machines, logs and ledgers, with secrets and without. */
export const contents = fc.record(lists);
export const writesOf = ({ projects, tasks, runs, keys, secrets, costs }: Contents): readonly Write[] => [
  ...projects.map((of, i) => row(project, { id: `p${i}`, projectId: `p${i}`, metadata: null, createdBy: null, ...of })),
  row(team, { id: "team_1", projectId: "p1", name: "t", description: null }),
  ...tasks.map((of, i) => row(task, taskRow(`task_${i}`, of))),
  ...runs.flatMap(({ bodies, ...of }, i) => [
    row(run, runRow(`run_${i}`, of)),
    entries(
      runEvent,
      `run_${i}`,
      bodies.map((body) => ({ projectId: "p1", event: { body } })),
    ),
    entries(
      runStep,
      `run_${i}`,
      bodies.map((body, step) => ({ projectId: "p1", attempt: 1, step, kind: "model.done", body: { body } })),
    ),
  ]),
  row(gatewayKey, keyRow("key_owner", { kind: "owner" })),
  ...keys.map((of, i) => row(gatewayKey, keyRow(`key_${i}`, { ...of, digest: `${i}${of.digest.slice(1)}` }))),
  ...secrets.map((apiKey, i) => row(storedProvider, providerRow(`provider_${i}`, { apiKey }))),
  ...secrets.map((value, i) =>
    row(storedProviderKey, {
      id: `pk_${i}`,
      provider: "provider-0",
      label: value,
      value: `sealed ${value ?? ""}`,
      weight: 1,
      enabled: true,
    }),
  ),
  ...fixed(),
  ...ofLedgersAndFiles(costs),
];
type Contents = typeof contents extends fc.Arbitrary<infer T> ? T : never;

export async function fill(store: RecordStore, writes: readonly Write[]): Promise<void> {
  const results = await store.commit(
    writes.map((write) => ({ scope: system, writes: [write] })),
    soon(),
  );
  const refused = results.find((result) => !result.ok);
  if (refused !== undefined) throw new Error(`not stored: ${JSON.stringify(refused)}`);
}

export async function exported(store: RecordStore, o: ExportOptions = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of exportStore({ store, clock, crypto, entities: everything }, o)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const seal = (value: string, at: { readonly rowId: string }): string => `sealed(${value}) for ${at.rowId}`;

export function imported(store: RecordStore, file: Uint8Array, o: ImportOptions & { readonly chunkBytes?: number } = {}) {
  const { chunkBytes = file.length, ...options } = o;
  async function* open(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < file.length; at += chunkBytes) yield file.subarray(at, at + chunkBytes);
  }
  return importStore({ store, clock, entities: everything, placeholders: { crypto, seal } }, open, options);
}

/** What two exports have in common: all but when they were made, and what depends on that. */
export function body(file: Buffer): readonly unknown[] {
  const lines = file
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
  return lines.map((line) => {
    const { atMs: _at, sha256: _sha, apart: _apart, ...rest } = line;
    return "sallyport" in line || "end" in line ? rest : line;
  });
}

/** Rows that lost a secret of theirs are disabled where they can be. */
export function asImported(lines: readonly unknown[]): readonly unknown[] {
  const secret: Readonly<Record<string, string>> = { provider: "apiKey", providerKey: "value", alertChannel: "secret" };
  return lines.map((line) => {
    const { entity, row, lost } = line as { entity: string; row: object; lost?: string[] };
    const { lost: _lost, ...rest } = line as { lost?: string[] };
    if (lost === undefined) return line;
    // What may be empty is empty now, and lost nothing the second time.
    const again = lost.filter((field) => ["digest", "value"].includes(field));
    const stops = lost.some((field) => secret[entity] === field);
    return { ...rest, row: stops ? { ...row, enabled: false } : row, ...(again.length === 0 ? {} : { lost: again }) };
  });
}
export const rowsOnly = (lines: readonly unknown[]): readonly unknown[] => lines.slice(0, -1);
