import { referencesOf, type AnyEntity, type AnyLogEntity } from "../entities/index.js";

/** What goes along only when it is asked for: ledgers, and work that is not done yet. */
export const extras = ["usage", "audit", "traces", "work"] as const;
export type Extra = (typeof extras)[number];

type Row = Readonly<Record<string, unknown>>;
export type Declared = AnyEntity | AnyLogEntity;

/** Rows of an entity that go only with an extra, or never. */
interface Apart {
  readonly field: string;
  readonly values: readonly string[];
  readonly because: string;
  /** Left out: such rows never go. */
  readonly unless?: Extra;
}
export interface Moving {
  /** Left out: it always goes. */
  readonly with?: Extra;
  readonly apart?: Apart;
  /** Of a log: the entity whose ids are its streams. */
  readonly streamOf?: string;
  /** The field that names the newest entry of the row's stream, as the row knows it: later ones are not its own yet. */
  readonly head?: string;
  /** The row as it stands in another store: without what only this store's processes know. */
  readonly as?: (row: Row) => Row;
  /** Of a row whose fields its own use changes (the `touch` ones): those are of the store that it stands in, and of the file only for a new row. */
  readonly used?: UsedRows;
  /** Rows read at once, where they are large. */
  readonly page?: number;
}
export interface UsedRows {
  /** A new row as it is before the entries of its stream. */
  readonly begun: (row: Row, at: { readonly exportedAtMs: number; readonly nowMs: number }) => Row;
  /** What entries add to it, in the unit that appends them. */
  readonly grows: (entries: readonly Row[]) => Readonly<Record<string, number>>;
}
export interface Staying {
  /** Why it is of no use elsewhere. */
  readonly stays: string;
}
export type MoveRule = Moving | Staying;

const unleased = (row: Row): Row => ({ ...row, holder: null, leaseUntilMs: 0 });
/** In a file nothing grows old. */
const livesOn = (untilMs: number, { exportedAtMs, nowMs }: { readonly exportedAtMs: number; readonly nowMs: number }): number =>
  untilMs > exportedAtMs && untilMs <= nowMs ? nowMs + untilMs - exportedAtMs : untilMs;
const encoder = new TextEncoder();
const sizeOf = (entry: Row): number => encoder.encode(JSON.stringify(entry["message"])).byteLength;
const UNDONE = "work that is not done: another gateway would do it a second time";

/**
 * What goes to another store, by entity. Records go unless they stand here; a machine, log or ledger that does not stand here stays, and a test asks for its row. Secrets never go: that is the
 * trait of a field (`secret`, `hashed`), not of a row in this table.
 */
const rules: Readonly<Record<string, MoveRule>> = {
  gatewayKey: { apart: { field: "kind", values: ["owner"], because: "each store has an owner's key of its own" } },
  budgetWindow: {
    as: (row) => ({ ...row, leftNanoUsd: (row["leftNanoUsd"] as number) + (row["reservedNanoUsd"] as number), reservedNanoUsd: 0 }),
  },
  session: {
    apart: { field: "status", values: ["copying", "deleting"], because: "no session yet, or no longer" },
    as: (row) => ({ ...row, turnId: null, summaryUntilMs: 0 }),
    head: "lastSeq",
    used: {
      begun: (row, { exportedAtMs, nowMs }) => ({
        ...{ ...row, lastSeq: 0, messageCount: 0, bytes: 0 },
        expiresAtMs: livesOn(row["expiresAtMs"] as number, { exportedAtMs, nowMs }),
      }),
      grows: (entries) => ({
        lastSeq: entries.length,
        messageCount: entries.length,
        bytes: entries.reduce((sum, one) => sum + sizeOf(one), 0),
      }),
    },
  },
  message: { streamOf: "session" },
  run: {
    apart: { field: "status", values: ["queued", "running", "waiting"], because: UNDONE, unless: "work" },
    as: unleased,
    page: 20,
  },
  runEvent: { streamOf: "run" },
  runStep: { streamOf: "run" },
  task: {
    apart: { field: "status", values: ["pending", "running"], because: UNDONE, unless: "work" },
    as: (row) => ({ ...row, holder: null }),
  },
  storedResponse: {
    apart: { field: "status", values: ["queued", "in_progress"], because: UNDONE, unless: "work" },
    as: unleased,
    page: 20,
  },
  storedResponseItem: {},
  storedResponseEvents: { page: 20 },
  vendorObject: { apart: { field: "status", values: ["queued", "running"], because: UNDONE, unless: "work" } },
  fileChunk: { page: 8 },
  batchLine: { streamOf: "vendorObject", page: 50 },
  alert: {},
  usage: { with: "usage" },
  audit: { with: "audit" },
  authEvent: { with: "audit" },
  detection: { with: "audit" },
  trace: { with: "traces" },
  inboxItem: { stays: "questions of the moment, some of whose texts are sealed in this store" },
  interrupt: { with: "work" },
  alertNotification: { stays: "messages on their way: they would be sent a second time" },
  configRevision: { stays: "counts this store's changes; the settings themselves go" },
  dataKey: { stays: "the keys that this store's secrets are sealed with" },
  idempotencyKey: { stays: "answers to repetitions within a day" },
  mcpNews: { stays: "news between processes of this moment" },
  mcpSession: { stays: "clients connect again" },
  parkedCall: { stays: "the calls of processes of this moment" },
  node: { stays: "processes that run on this store" },
  oauthClient: { stays: "who the gateway is at authorization servers, with its secrets there" },
  oauthState: { stays: "sign-ins that have begun" },
  oauthToken: { stays: "tokens that are sealed in this store, and may be renewed in one place only" },
  openCalls: { stays: "calls of this moment" },
  opaqueToken: { stays: "vendors' sealed tokens, of use for a day and to this store's secret alone" },
  reservation: { stays: "set aside for calls of this moment; it is given back in what goes" },
  signInState: { stays: "sign-ins that have begun" },
  toolPin: { as: (row) => ({ ...row, itemId: null }) },
  toolDefinition: { page: 20 },
  toolResult: { stays: "results that were too large to hand over, kept for an hour" },
  toolResultPart: { stays: "results that were too large to hand over, kept for an hour" },
  usedRequestState: { stays: "states that clients carried, of use in this store alone" },
  webSession: { stays: "people sign in again" },
};

const UNSAID = "nobody said whether it may go";

/** What becomes of an entity's rows. */
export function moveRule(entity: Declared): MoveRule {
  const rule = Object.hasOwn(rules, entity.name) ? rules[entity.name] : undefined;
  return rule ?? (entity.kind === "record" ? {} : { stays: UNSAID });
}
/** A machine, log or ledger without a row in the table above. */
export const isUnsaid = (entity: Declared): boolean => {
  const rule = moveRule(entity);
  return "stays" in rule && rule.stays === UNSAID;
};

/** Whether a row of an entity goes along; else why not. */
export function whyApart(rule: Moving, row: Row, wanted: ReadonlySet<Extra>): string | null {
  const { apart } = rule;
  if (apart === undefined || !apart.values.includes(row[apart.field] as string)) return null;
  return apart.unless !== undefined && wanted.has(apart.unless) ? null : apart.because;
}

const withheld = new WeakMap<Declared, readonly string[]>();

/** Fields whose values never leave: `secret` and `hashed`. */
export function withheldFields(entity: Declared): readonly string[] {
  let names = withheld.get(entity);
  if (names === undefined) {
    names = Object.entries(entity.fields).flatMap(([name, { access }]) => (access === "secret" || access === "hashed" ? [name] : []));
    withheld.set(entity, names);
  }
  return names;
}

/**
 * The entities in the order in which their rows are written: what is referred to before what refers to it, a log after the rows that own its streams; otherwise as they are declared.
 */
export function inWritingOrder(entities: readonly Declared[]): readonly Declared[] {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  const ordered = new Set<Declared>();
  const visiting = new Set<Declared>();
  const visit = (entity: Declared): void => {
    if (ordered.has(entity) || visiting.has(entity)) return;
    visiting.add(entity);
    const rule = moveRule(entity);
    const owner = "stays" in rule ? undefined : rule.streamOf;
    for (const name of [...referencesOf(entity).map((reference) => reference.entity), ...(owner === undefined ? [] : [owner])]) {
      const before = byName.get(name);
      if (before !== undefined) visit(before);
    }
    ordered.add(entity);
  };
  for (const entity of entities) visit(entity);
  return [...ordered];
}
